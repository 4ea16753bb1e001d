"""Alerts put straight into the database: what only counts them need not raise each by a diary."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from server.clinical.vocabulary import AlertClass, AlertFamily, AlertState, Outcome
from server.models import Alert
from server.services import vault
from server.services.work import Work


@dataclass(frozen=True)
class Raised:
    """What an alert is, as far as a count of alerts knows."""

    patient_id: UUID | None
    opened_at: datetime
    family: AlertFamily = AlertFamily.MOOD_RELAPSE
    urgency: AlertClass = AlertClass.P2
    codes: tuple[str, ...] = ("R2:composite",)
    outcome: Outcome | None = None
    more: dict[str, Any] = field(default_factory=dict)


def put(work: Work, raised: Raised) -> UUID:
    """Write one alert: open, or closed where it has an outcome; return its id."""
    is_closed = raised.outcome is not None
    alert = Alert(
        clinic_id=work.clinic_id,
        id=uuid7(),
        patient_id=raised.patient_id,
        family=raised.family,
        urgency=raised.urgency,
        state=AlertState.RESOLVED if is_closed else AlertState.OPEN,
        outcome=raised.outcome,
        resolved_at=raised.opened_at if is_closed else None,
        level=0,
        day=raised.opened_at.date(),
        opened_at=raised.opened_at,
        worsened_at=raised.opened_at,
        waiting_since=raised.opened_at,
        snoozed=False,
        version=1,
    )
    for name, value in raised.more.items():
        setattr(alert, name, value)
    for name, found in (("codes", list(raised.codes)), ("summary", "Found."), ("evidence", {})):
        vault.put(work, alert, name, found)
    work.session.add(alert)
    work.session.flush()
    return alert.id
