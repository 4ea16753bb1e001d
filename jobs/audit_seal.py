"""Chains what the clinics' audit logs have got since the last time, a batch a transaction."""

from datetime import datetime, timedelta
from uuid import UUID

from jobs.around import Around
from jobs.each_clinic import each_of
from server.isolation import Extent
from server.services.audit import audit_seal as seals
from server.services.audit.audit_seal import NEAR
from server.services.work import Work, system


def run(around: Around, now: datetime) -> int:
    """Chain the committed events of every clinic; return how many. What is cut off goes on the next time."""
    with around.database.read(Extent.ALL) as session:
        ids = seals.clinics_concerned(session, now)
    return each_of(ids, "audit_seal", lambda one: seal(around, now, one, NEAR))


def seal(around: Around, now: datetime, clinic_id: UUID, back: timedelta) -> int:
    """Chain what one clinic's log has got, looking so far ``back``; return how many."""
    done, after = 0, _begin(around, now, clinic_id, back)
    while after is not None and not around.stopping.is_set():
        with around.database.write() as session:
            some = seals.seal(Work(session, now, system(clinic_id)), after)
        done, after = done + len(some), some[-1] if some else None
    return done


def _begin(around: Around, now: datetime, clinic_id: UUID, back: timedelta) -> UUID | None:
    """Look before writing: on SQLite a writer keeps the others out, and all may be chained by now."""
    with around.database.read() as session:
        work = Work(session, now, system(clinic_id))
        after = seals.since(work, back)
        return after if seals.is_waiting(work, after) else None
