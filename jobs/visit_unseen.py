"""Approved visits that nobody at the clinic has looked at for too long: the care team is told."""

import logging
from datetime import datetime
from functools import partial
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from jobs.each_clinic import each_clinic
from server.services.visits import unseen_visit as unseen_visits
from server.services.work import Work, system

log = logging.getLogger(__name__)


def run(around: Around, now: datetime) -> int:
    """Tell every clinic of its unseen visits, each visit in its own transaction; return how many messages."""
    return each_clinic(around, "telling of unseen visits", partial(_tell, around, now))


def _tell(around: Around, now: datetime, clinic_id: UUID) -> int:
    # What is to be told is found out without holding up anybody who writes.
    with around.database.read() as session:
        found = unseen_visits.due(Work(session, now, system(clinic_id)))
    told = [_tell_of(around, now, clinic_id, one) for one in found]
    if None in told:
        raise Incomplete("not every unseen visit could be told of")
    return sum(one or 0 for one in told)


def _tell_of(around: Around, now: datetime, clinic_id: UUID, suggestion_id: UUID) -> int | None:
    """Return how many messages were written, None where it failed."""

    def tell() -> int:
        with around.database.write() as session:
            return unseen_visits.tell(Work(session, now, system(clinic_id)), suggestion_id)

    return careful(log, f"unseen visit {suggestion_id} could not be told of", tell)
