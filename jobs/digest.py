"""The weekly digest: tells the care team of every clinic, in its first hours of work, that it can be read."""

import logging
from datetime import datetime
from uuid import UUID

from jobs.around import Around, Incomplete
from server.services import clinic as clinics
from server.services import digest_round as digest_rounds
from server.services.work import Work, system

log = logging.getLogger(__name__)


def run(around: Around, now: datetime) -> int:
    """Tell every clinic whose digest is due, each in its own transaction; return how many messages."""
    with around.database.read() as session:
        clinic_ids = clinics.every_id(session)
    told = [_tell(around, now, clinic_id) for clinic_id in clinic_ids]
    if None in told:
        raise Incomplete("a clinic could not be told of its digest")
    return sum(one or 0 for one in told)


def _tell(around: Around, now: datetime, clinic_id: UUID) -> int | None:
    """Return how many messages were written, None where it failed."""
    try:
        # What is to be told is found out without holding up anybody who writes.
        with around.database.read() as session:
            found = digest_rounds.due(Work(session, now, system(clinic_id)))
        if found is None:
            return 0
        with around.database.write() as session:
            return digest_rounds.tell(Work(session, now, system(clinic_id)), found)
    except Exception as error:
        # Whatever it is, it is about this clinic: the others must not wait for it.
        log.error("clinic %s could not be told of its digest: %s", clinic_id, type(error).__name__)
        return None
