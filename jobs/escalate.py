"""Alerts nobody has answered in time, or answered and never closed: tell further people."""

import logging
from datetime import datetime
from uuid import UUID

from jobs.around import Around, Incomplete
from server.services import clinic as clinics
from server.services import escalation as escalations
from server.services.work import Work, system

log = logging.getLogger(__name__)


def run(around: Around, now: datetime) -> int:
    """Raise every alert that is due to climb, each in its own transaction; return how many climbed."""
    with around.database.read() as session:
        clinic_ids = clinics.every_id(session)
    due = [one for clinic_id in clinic_ids for one in _due(around, now, clinic_id)]
    climbed = [_climb(around, now, *one) for one in due]
    if None in climbed:
        raise Incomplete("an alert could not climb")
    return sum(one or 0 for one in climbed)


def _due(around: Around, now: datetime, clinic_id: UUID) -> list[tuple[UUID, UUID]]:
    with around.database.read() as session:
        work = Work(session, now, system(clinic_id))
        return [(clinic_id, alert_id) for alert_id in escalations.due(work)]


def _climb(around: Around, now: datetime, clinic_id: UUID, alert_id: UUID) -> int | None:
    """Return 1 where the alert climbed, 0 where it need not, None where it could not."""
    try:
        with around.database.write() as session:
            level = escalations.climb(Work(session, now, system(clinic_id)), alert_id)
    except Exception as error:
        log.error("alert %s could not climb: %s", alert_id, type(error).__name__)
        return None
    if level is None:
        return 0
    log.warning("alert %s was not answered in time: level %s is told", alert_id, level)
    return 1
