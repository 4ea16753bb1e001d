"""Gaps in the rotas of the days ahead: write to the clinics' admins before an alert goes nowhere."""

import logging
from datetime import datetime
from uuid import UUID

from jobs.around import Around, Incomplete
from server.services import clinic as clinics
from server.services import coverage as coverages
from server.services.work import Work, system

log = logging.getLogger(__name__)


def run(around: Around, now: datetime) -> int:
    """Look at every clinic, each in its own transaction; return how many messages were written."""
    with around.database.read() as session:
        ids = clinics.every_id(session)
    told = [_tell(around, now, clinic_id) for clinic_id in ids]
    if None in told:
        raise Incomplete("a rota could not be looked at")
    return sum(one or 0 for one in told)


def _tell(around: Around, now: datetime, clinic_id: UUID) -> int | None:
    """Return how many messages were written, None where it failed."""
    try:
        with around.database.write() as session:
            return coverages.tell(Work(session, now, system(clinic_id)))
    except Exception as error:
        # Whatever it is, it is about this clinic: the others must not wait for it.
        log.error("the rota of clinic %s could not be looked at: %s", clinic_id, type(error).__name__)
        return None
