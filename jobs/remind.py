"""Patients whose reminder time has come, on their own clock: write the reminder and its delivery."""

import logging
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from server.isolation import Extent
from server.services.journal import reminder as reminders
from server.services.work import Work, system

log = logging.getLogger(__name__)

BATCH = 100


def run(around: Around, now: datetime) -> int:
    """Remind every patient who is due, each in a transaction of their own; return how many messages."""
    told = [_remind(around, now, *one) for one in _due(around, now)]
    if None in told:
        raise Incomplete("somebody could not be reminded")
    return sum(one or 0 for one in told)


def _due(around: Around, now: datetime) -> Iterator[tuple[UUID, UUID]]:
    """Yield who is due, a batch at a time; one who fails stays due and is passed by, so nobody waits."""
    seen: set[tuple[UUID, UUID]] = set()
    passed = 0
    while not around.stopping.is_set():
        with around.database.read(Extent.ALL) as session:
            found = reminders.due(session, now, BATCH + passed)
        fresh = [one for one in found if one not in seen]
        if len(found) < BATCH + passed and not fresh:
            return
        yield from fresh
        seen.update(fresh)
        passed = len(found) - len(fresh)


def _remind(around: Around, now: datetime, clinic_id: UUID, patient_id: UUID) -> int | None:
    """Return how many messages were written, None where it failed."""

    def remind() -> int:
        with around.database.write() as session:
            return int(reminders.remind(Work(session, now, system(clinic_id)), patient_id))

    return careful(log, f"patient {patient_id} could not be reminded", remind)
