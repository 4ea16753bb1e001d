"""The weekly digest: tells the care team of every clinic, in its first hours of work, that it can be read."""

from datetime import datetime
from functools import partial
from uuid import UUID

from jobs.around import Around
from jobs.each_clinic import each_clinic
from server.services.alerts import digest_round as digest_rounds
from server.services.work import Work, system


def run(around: Around, now: datetime) -> int:
    """Tell every clinic whose digest is due, each in its own transaction; return how many messages."""
    return each_clinic(around, "telling of the digest", partial(_tell, around, now))


def _tell(around: Around, now: datetime, clinic_id: UUID) -> int:
    # What is to be told is found out without holding up anybody who writes.
    with around.database.read() as session:
        found = digest_rounds.due(Work(session, now, system(clinic_id)))
    if found is None:
        return 0
    with around.database.write() as session:
        return digest_rounds.tell(Work(session, now, system(clinic_id)), found)
