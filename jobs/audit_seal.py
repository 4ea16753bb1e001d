"""Chains what the clinics' audit logs have got since the last time, a batch a transaction."""

from datetime import datetime
from uuid import UUID

from jobs.around import Around
from jobs.each_clinic import each_clinic
from server.services.audit import audit_seal as seals
from server.services.work import Work, system


def run(around: Around, now: datetime) -> int:
    """Chain every committed event of every clinic; return how many. What is cut off goes on the next time."""
    return each_clinic(around, "audit_seal", lambda one: _seal(around, now, one), with_operations=True)


def _seal(around: Around, now: datetime, clinic_id: UUID) -> int:
    done = 0
    while _is_anything_there(around, now, clinic_id) and not around.stopping.is_set():
        with around.database.write() as session:
            done += seals.seal(Work(session, now, system(clinic_id)))
    return done


def _is_anything_there(around: Around, now: datetime, clinic_id: UUID) -> bool:
    """Look before writing: on SQLite a writer keeps the others out, and most clinics are quiet."""
    with around.database.read() as session:
        return seals.is_waiting(Work(session, now, system(clinic_id)))
