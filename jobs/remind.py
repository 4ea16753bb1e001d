"""Patients whose reminder time has come, on their own clock: write the reminder and its delivery."""

import logging
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from jobs.each_clinic import each_of
from server.isolation import Extent
from server.services.journal import reminder as reminders
from server.services.work import Work, system

log = logging.getLogger(__name__)

BATCH = 100


def run(around: Around, now: datetime) -> int:
    """Remind every patient who is due, each in a transaction of their own; return how many messages."""
    with around.database.read(Extent.ALL) as session:
        ids = reminders.clinics(session, now)
    return each_of(ids, "reminding", partial(_remind_all, around, now))


def _remind_all(around: Around, now: datetime, clinic_id: UUID) -> int:
    told = [_remind(around, now, clinic_id, one) for one in _due(around, now, clinic_id)]
    if None in told:
        raise Incomplete("somebody could not be reminded")
    return sum(one or 0 for one in told)


def _due(around: Around, now: datetime, clinic_id: UUID) -> Iterator[UUID]:
    """Yield who is due, a batch at a time; one who fails is passed by, so nobody waits behind them."""
    after: UUID | None = None
    while not around.stopping.is_set():
        with around.database.read() as session:
            batch = reminders.due(Work(session, now, system(clinic_id)), after, BATCH)
        if not batch:
            return
        yield from batch
        after = batch[-1]


def _remind(around: Around, now: datetime, clinic_id: UUID, patient_id: UUID) -> int | None:
    """Return how many messages were written, None where it failed."""

    def remind() -> int:
        with around.database.write() as session:
            return int(reminders.remind(Work(session, now, system(clinic_id)), patient_id))

    return careful(log, f"patient {patient_id} could not be reminded", remind)
