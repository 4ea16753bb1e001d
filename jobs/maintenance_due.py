"""Visits that fall due are proposed; proposals whose window has passed are ended."""

import logging
from datetime import datetime
from functools import partial
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from jobs.each_clinic import each_clinic
from jobs.looking import look_at_clinic
from server.clinical.maintenance import Chance
from server.services.visits import suggestion_end as suggestion_ends
from server.services.work import Work, system

log = logging.getLogger(__name__)


def run(around: Around, now: datetime) -> int:
    """Look at whose plan makes a visit due, at every clinic; return how many were proposed or ended.

    Raises `Incomplete`, at the end, where somebody or something had to be passed over.
    """
    return each_clinic(around, "looking for due visits", partial(_look, around, now))


def _look(around: Around, now: datetime, clinic_id: UUID) -> int:
    done = [_expire(around, now, clinic_id), *look_at_clinic(around, now, clinic_id, Chance.BY_PLAN)]
    if None in done:
        raise Incomplete("not every due visit could be looked for")
    return sum(one or 0 for one in done)


def _expire(around: Around, now: datetime, clinic_id: UUID) -> int | None:
    """Return how many were ended, None where it failed."""

    def expire() -> int:
        with around.database.write() as session:
            return suggestion_ends.expire_overdue(Work(session, now, system(clinic_id)))

    return careful(log, f"proposals of clinic {clinic_id} could not be ended", expire)
