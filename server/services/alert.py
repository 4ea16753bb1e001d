"""Alerts as the care team handles them: list, read, acknowledge, resolve; and their log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, bindparam, func, insert, or_, select

from server.clinical.lifecycle import ALERT_MOVES, AlertAction, move
from server.clinical.vocabulary import AlertClass, AlertState, Outcome
from server.models import Alert, AlertEvent, Delivery
from server.services import account as accounts
from server.services import delivery as deliveries
from server.services import vault
from server.services.errors import NotFound, Stale
from server.services.work import Work

_INSERT_LINE = insert(cast(Table, AlertEvent.__table__))
_LAST_LINE = select(func.max(AlertEvent.number)).where(
    AlertEvent.clinic_id == bindparam("clinic"), AlertEvent.alert_id == bindparam("alert")
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the list of alerts a page ended: the order is urgency, then age, then id."""

    urgency: AlertClass
    opened_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts to read. ``state`` None: those not resolved. ``after`` None: from the start."""

    state: AlertState | None
    patient_id: UUID | None
    after: Place | None
    size: int


def page(work: Work, wanted: Wanted) -> Sequence[Alert]:
    """Return alerts, most urgent first, the oldest of the same urgency first."""
    query = select(Alert).where(Alert.clinic_id == work.clinic_id)
    if wanted.state is None:
        query = query.where(Alert.state != AlertState.RESOLVED)
    else:
        query = query.where(Alert.state == wanted.state)
    if wanted.patient_id is not None:
        query = query.where(Alert.patient_id == wanted.patient_id)
    if wanted.after is not None:
        query = query.where(_comes_after(wanted.after))
    order = (Alert.urgency, Alert.opened_at, Alert.id)
    return vault.opened(work, list(work.session.scalars(query.order_by(*order).limit(wanted.size))))


def _comes_after(place: Place) -> ColumnElement[bool]:
    later = or_(
        Alert.opened_at > place.opened_at, and_(Alert.opened_at == place.opened_at, Alert.id > place.id)
    )
    return or_(Alert.urgency > place.urgency, and_(Alert.urgency == place.urgency, later))


def get(work: Work, alert_id: UUID, lock: bool = False) -> Alert:
    """Return one alert of the actor's clinic, or raise NotFound. ``lock``: of two changes one waits."""
    key = (work.clinic_id, alert_id)
    alert = work.session.get(Alert, key, with_for_update={"key_share": True} if lock else None)
    if alert is None:
        raise NotFound("alert")
    vault.opened(work, [alert])
    return alert


@dataclass(frozen=True, slots=True)
class Record:
    """An alert with its log, who was told what and when, and the names of those people."""

    alert: Alert
    events: Sequence[AlertEvent]
    deliveries: Sequence[Delivery]
    names: Mapping[UUID | None, str]


def record(work: Work, alert_id: UUID) -> Record:
    """Return everything about one alert. Audited."""
    alert = get(work, alert_id)
    work.audit("alert.read", alert.patient_id, alert.id)
    happened, sent = events(work, alert_id), deliveries.of_subject(work, alert_id)
    people = accounts.names(work, [*(e.account_id for e in happened), *(d.account_id for d in sent)])
    return Record(alert, happened, sent, people)


def events(work: Work, alert_id: UUID) -> Sequence[AlertEvent]:
    """Return the log of an alert, oldest first."""
    query = select(AlertEvent).where(AlertEvent.clinic_id == work.clinic_id, AlertEvent.alert_id == alert_id)
    return vault.opened(work, list(work.session.scalars(query.order_by(AlertEvent.number))))


def acknowledge(work: Work, alert_id: UUID, version: int | None = None) -> Alert:
    """Say "I have it": escalation stops. A second acknowledgement changes nothing.

    With ``version``, raises Stale when the alert is no longer what the person saw: who acknowledged
    a P2 has not seen the P0 that it became.
    """
    alert = get(work, alert_id, lock=True)
    after = move(ALERT_MOVES, alert.state, AlertAction.ACKNOWLEDGE)
    if alert.state is not after:
        if version is not None and alert.version != version:
            raise Stale(alert)
        take_on(work, alert)
    return alert


def take_on(work: Work, alert: Alert) -> None:
    """Acknowledge a locked open episode."""
    alert.state = move(ALERT_MOVES, alert.state, AlertAction.ACKNOWLEDGE)
    alert.acknowledged_at, alert.acknowledged_by = work.now, work.actor.account_id
    alert.version += 1
    log(work, alert, "acknowledged")
    work.audit("alert.acknowledge", alert.patient_id, alert.id)


def resolve(work: Work, alert_id: UUID, outcome: Outcome, note: str, version: int) -> Alert:
    """Close an episode with its outcome. Raises Stale when it changed since ``version``."""
    alert = get(work, alert_id, lock=True)
    if alert.version != version:
        raise Stale(alert)
    close(work, alert, outcome, note)
    return alert


def close(work: Work, alert: Alert, outcome: Outcome, note: str) -> None:
    """Close a locked episode. Raises IllegalMove where it is closed already."""
    alert.state = move(ALERT_MOVES, alert.state, AlertAction.RESOLVE)
    alert.outcome = outcome
    vault.put(work, alert, "resolution_note", note)
    alert.resolved_at, alert.resolved_by = work.now, work.actor.account_id
    alert.version += 1
    log(work, alert, "resolved", {"outcome": outcome})
    work.audit("alert.resolve", alert.patient_id, alert.id)


def escalate(work: Work, alert: Alert, level: int) -> None:
    """Tell the people of ``level`` too."""
    alert.level = level
    alert.version += 1
    told = deliveries.enqueue(work, alert)
    log(work, alert, "escalated", {"level": level, "told": told})


def unacknowledged(work: Work) -> Sequence[Alert]:
    """Return the clinic's open alerts, most urgent and oldest first. What they found is not opened."""
    query = select(Alert).where(Alert.clinic_id == work.clinic_id, Alert.state == AlertState.OPEN)
    return list(work.session.scalars(query.order_by(Alert.urgency, Alert.opened_at, Alert.id)))


def log(work: Work, alert: Alert, kind: str, detail: dict[str, Any] | None = None) -> None:
    """Append one line to the alert's log."""
    last = work.value(_LAST_LINE, alert=alert.id)
    key = (alert.clinic_id, alert.id, (last or 0) + 1)
    line = {
        **dict(zip(("clinic_id", "alert_id", "number"), key, strict=True)),
        "kind": kind,
        "at": work.now,
        "account_id": work.actor.account_id,
        "sealed_detail": vault.seal(work, AlertEvent, key, "detail", detail or None),
    }
    work.session.connection().execute(_INSERT_LINE, line)
