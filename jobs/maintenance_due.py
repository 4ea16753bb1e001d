"""Visits that fall due are proposed; proposals whose window has passed are ended."""

import logging
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from server.isolation import Extent
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.visits import suggestion_draft as suggestion_drafts
from server.services.visits import suggestion_end as suggestion_ends
from server.services.work import Work, system

log = logging.getLogger(__name__)

PAGE = 200


def run(around: Around, now: datetime) -> int:
    """Look at every patient of every clinic; return how many proposals were made or ended.

    Raises `Incomplete`, at the end, where somebody or something had to be passed over.
    """
    with around.database.read(Extent.ALL) as session:
        ids = clinics.every_id(session)
    done = [one for clinic_id in ids for one in _look_at_clinic(around, now, clinic_id)]
    if None in done:
        raise Incomplete("not every due visit could be looked for")
    return sum(one or 0 for one in done)


def _look_at_clinic(around: Around, now: datetime, clinic_id: UUID) -> Iterator[int | None]:
    yield _expire(around, now, clinic_id)
    for patient_id in _patients(around, now, clinic_id):
        yield _look_at(around, now, clinic_id, patient_id)


def _expire(around: Around, now: datetime, clinic_id: UUID) -> int | None:
    """Return how many were ended, None where it failed."""

    def expire() -> int:
        with around.database.write() as session:
            return suggestion_ends.expire_overdue(Work(session, now, system(clinic_id)))

    return careful(log, f"proposals of clinic {clinic_id} could not be ended", expire)


def _patients(around: Around, now: datetime, clinic_id: UUID) -> Iterator[UUID]:
    after: UUID | None = None
    while not around.stopping.is_set():
        with around.database.read() as session:
            page = [p.id for p in patients.page(Work(session, now, system(clinic_id)), after, PAGE)]
        if not page:
            return
        yield from page
        after = page[-1]


def _look_at(around: Around, now: datetime, clinic_id: UUID, patient_id: UUID) -> int | None:
    """Return how many were proposed, None where it failed."""

    def propose() -> int:
        with around.database.write() as session:
            work = Work(session, now, system(clinic_id))
            return int(
                suggestion_drafts.suggest_maintenance(work, patients.get(work, patient_id)) is not None
            )

    return careful(log, f"no visit could be proposed for patient {patient_id}", propose)
