"""Approved visits that nobody at the clinic has looked at for too long: the care team is told."""

from datetime import datetime
from functools import partial
from uuid import UUID

from jobs.around import Around
from jobs.each_clinic import each_clinic
from server.services.visits import unseen_visit as unseen_visits
from server.services.work import Work, system


def run(around: Around, now: datetime) -> int:
    """Tell every clinic of its unseen visits, each visit in its own transaction; return how many messages."""
    return each_clinic(around, "telling of unseen visits", partial(_tell, around, now))


def _tell(around: Around, now: datetime, clinic_id: UUID) -> int:
    # What is to be told is found out without holding up anybody who writes.
    with around.database.read() as session:
        found = unseen_visits.due(Work(session, now, system(clinic_id)))
    return sum(_tell_of(around, now, clinic_id, one) for one in found)


def _tell_of(around: Around, now: datetime, clinic_id: UUID, suggestion_id: UUID) -> int:
    with around.database.write() as session:
        return unseen_visits.tell(Work(session, now, system(clinic_id)), suggestion_id)
