"""Looking at patients for whom a visit may be due, one after another; one never stops the others."""

import logging
from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from uuid import UUID

from jobs.around import Around
from jobs.careful import careful
from server.clinical.maintenance import Chance
from server.services.people import patient as patients
from server.services.visits import prospect as prospects
from server.services.visits import suggestion_draft as suggestion_drafts
from server.services.work import Work, system

log = logging.getLogger(__name__)

# Patients that are looked over by one question.
PAGE = 1000


def look_at_clinic(around: Around, now: datetime, clinic_id: UUID, wanted: Chance) -> Iterator[int | None]:
    """Yield for each patient with the chance ``wanted`` how many visits were proposed; None: it failed."""
    for patient_id in _patients(around, now, clinic_id, wanted):
        yield _look_at(around, now, clinic_id, patient_id)


def _patients(around: Around, now: datetime, clinic_id: UUID, wanted: Chance) -> Iterator[UUID]:
    after: UUID | None = None
    while not around.stopping.is_set():
        with around.database.read() as session:
            page = prospects.page(Work(session, now, system(clinic_id)), wanted, after, PAGE)
        yield from takewhile(lambda _: not around.stopping.is_set(), page.ids)
        if page.last is None:
            return
        after = page.last


def _look_at(around: Around, now: datetime, clinic_id: UUID, patient_id: UUID) -> int | None:
    def propose() -> int:
        with around.database.write() as session:
            work = Work(session, now, system(clinic_id))
            if not patients.stays(work, patient_id):
                return 0  # they left since the page was read
            patient = patients.get(work, patient_id)
            return int(suggestion_drafts.suggest_maintenance(work, patient) is not None)

    return careful(log, f"no visit could be proposed for patient {patient_id}", propose)
