"""Which alerts nobody has answered in time, and the next circle of people to tell."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from server.clinical import escalation
from server.clinical.escalation import EscalationFacts
from server.clinical.vocabulary import AlertState
from server.models import Alert
from server.services import alert as alerts
from server.services import clinic as clinics
from server.services.civil_time import is_office_time
from server.services.work import Work


def due(work: Work) -> Sequence[UUID]:
    """Return the clinic's unresolved alerts that should have climbed by now, most urgent first.

    Acknowledged ones are among them: an alert taken on but never closed climbs once more.
    """
    query = select(Alert).where(Alert.clinic_id == work.clinic_id, Alert.state != AlertState.RESOLVED)
    order = (Alert.urgency, Alert.opened_at, Alert.id)
    return [a.id for a in work.session.scalars(query.order_by(*order)) if _level_due(work, a) > a.level]


def climb(work: Work, alert_id: UUID) -> int | None:
    """Raise one alert to its due level and write the deliveries; return the level.

    None where it was resolved, or raised by another worker, meanwhile.
    """
    alert = work.session.scalar(
        select(Alert)
        .where(Alert.clinic_id == work.clinic_id, Alert.id == alert_id, Alert.state != AlertState.RESOLVED)
        .with_for_update()
    )
    if alert is None:
        return None
    level = _level_due(work, alert)
    if level <= alert.level:
        return None
    alerts.escalate(work, alert, level)
    return level


def _level_due(work: Work, alert: Alert) -> int:
    facts = EscalationFacts(
        urgency=alert.urgency,
        opened_at=alert.worsened_at,
        acknowledged_at=alert.acknowledged_at,
        level=alert.level,
        working=is_office_time(work.now, clinics.get(work).zone),
    )
    return escalation.due(facts, clinics.policy(work), work.now)
