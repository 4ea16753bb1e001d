"""Visits that wait too long for somebody at the clinic, and what does not fit: the care team is told."""

import logging
from datetime import datetime
from functools import partial
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from jobs.each_clinic import each_clinic
from server.services.visits import review_task as review_tasks
from server.services.visits import unseen_visit as unseen_visits
from server.services.work import Work, system

log = logging.getLogger(__name__)


def run(around: Around, now: datetime) -> int:
    """Tell every clinic of its review tasks and of its unseen visits; return how many messages.

    Each visit in its own transaction.
    """
    return each_clinic(around, "telling of unseen visits", partial(_tell, around, now))


def _tell(around: Around, now: datetime, clinic_id: UUID) -> int:
    tasks = partial(_tell_tasks, around, now, clinic_id)
    done = [careful(log, f"review tasks of clinic {clinic_id} could not be told of", tasks)]
    # What is to be told is found out without holding up anybody who writes.
    with around.database.read() as session:
        found = unseen_visits.due(Work(session, now, system(clinic_id)))
    done += [_tell_of(around, now, clinic_id, one) for one in found]
    if None in done:
        raise Incomplete("not every visit or review task could be told of")
    return sum(one or 0 for one in done)


def _tell_tasks(around: Around, now: datetime, clinic_id: UUID) -> int:
    with around.database.write() as session:
        return review_tasks.tell(Work(session, now, system(clinic_id)))


def _tell_of(around: Around, now: datetime, clinic_id: UUID, suggestion_id: UUID) -> int | None:
    """Return how many messages were written, None where it failed."""

    def tell() -> int:
        with around.database.write() as session:
            return unseen_visits.tell(Work(session, now, system(clinic_id)), suggestion_id)

    return careful(log, f"unseen visit {suggestion_id} could not be told of", tell)
