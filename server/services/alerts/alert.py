"""Alerts as the care team reads them: how many there are, one with everything; and their log."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, bindparam, exists, func, insert, or_, select

from server.clinical.vocabulary import AlertClass, AlertState, Purpose
from server.models import UNRESOLVED, Alert, AlertEvent, Delivery, Patient
from server.services import vault
from server.services.errors import NotFound, Withheld
from server.services.messages import delivery as deliveries
from server.services.people import account as accounts
from server.services.people import patient as patients
from server.services.work import Work

_INSERT_LINE = insert(cast(Table, AlertEvent.__table__))
_LAST_LINE = select(func.max(AlertEvent.number)).where(
    AlertEvent.clinic_id == bindparam("clinic"), AlertEvent.alert_id == bindparam("alert")
)


def readable() -> ColumnElement[bool]:
    """Return what holds for alerts that the care team may read: none of a patient who is to be erased.

    Where the patient does not let it read the diary any more: those that are not closed. They are about
    answers that cannot wait, for a withdrawal closes every other one.
    """
    withdrawn = (
        exists()
        .where(
            Patient.clinic_id == Alert.clinic_id,
            Patient.id == Alert.patient_id,
            Patient.team_withdrawn_at.is_not(None),
        )
        .correlate(Alert)
    )
    return and_(patients.is_here(Alert), or_(UNRESOLVED, ~withdrawn))


@dataclass(frozen=True, slots=True)
class Counts:
    """What a badge shows of the alerts that are not resolved. ``open``: by urgency, nobody has them."""

    open: Mapping[AlertClass, int]
    acknowledged: int
    snoozed: int
    exhausted: int
    mine: int


_UNRESOLVED = (
    select(
        Alert.urgency,
        Alert.state,
        Alert.snoozed.label("snoozed"),
        Alert.exhausted_at.is_not(None).label("exhausted"),
        (func.coalesce(Alert.assigned_to, Alert.acknowledged_by) == bindparam("me")).label("mine"),
    )
    .where(Alert.clinic_id == bindparam("clinic"), UNRESOLVED, patients.is_here(Alert))
    .subquery()
)
# As many rows as there are kinds, not as there are alerts.
_COUNTED = select(*_UNRESOLVED.c, func.count().label("number")).group_by(*_UNRESOLVED.c)


def counts(work: Work) -> Counts:
    """Count the clinic's unresolved alerts; ``mine`` are those in the actor's hands."""
    rows = work.rows(_COUNTED, me=work.actor.account_id)
    waiting: Counter[AlertClass] = Counter()
    for row in rows:
        waiting[row.urgency] += row.number if row.state is AlertState.OPEN else 0
    return Counts(
        open={urgency: waiting[urgency] for urgency in AlertClass},
        acknowledged=sum(row.number for row in rows if row.state is AlertState.ACKNOWLEDGED),
        snoozed=sum(row.number for row in rows if row.snoozed),
        exhausted=sum(row.number for row in rows if row.exhausted),
        mine=sum(row.number for row in rows if row.mine),
    )


def get(work: Work, alert_id: UUID, lock: bool = False) -> Alert:
    """Return one alert of the actor's clinic. ``lock``: of two changes one waits.

    Raises NotFound, also where its patient leaves, and Withheld where somebody asks who may not read it any
    more (`readable`).
    """
    alert = of_somebody_here(work, alert_id) if lock else _found(work, alert_id)
    if alert is None:
        raise NotFound("alert")
    _check_readable(work, alert)
    vault.opened(work, [alert])
    return alert


def of_somebody_here(work: Work, alert_id: UUID) -> Alert | None:
    """Return one alert of the clinic, locked; None where there is none, or its patient leaves.

    Whoever erases a patient begins with the patient's row, so it is asked for first here too.
    """
    mine = (Alert.clinic_id == work.clinic_id, Alert.id == alert_id)
    patient_id = work.session.scalar(select(Alert.patient_id).where(*mine))
    if patient_id is None or not patients.stays(work, patient_id):
        return None
    query = select(Alert).where(*mine).with_for_update(key_share=True)
    return work.session.scalar(query.execution_options(populate_existing=True))


def _found(work: Work, alert_id: UUID) -> Alert | None:
    mine = (Alert.clinic_id == work.clinic_id, Alert.id == alert_id)
    return work.session.scalar(select(Alert).where(*mine, patients.is_here(Alert)))


def _check_readable(work: Work, alert: Alert) -> None:
    if work.actor.account_id is None or alert.state is not AlertState.RESOLVED:
        return
    if work.session.get_one(Patient, (work.clinic_id, alert.patient_id)).team_withdrawn_at is not None:
        raise Withheld(Purpose.CARE_TEAM)


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
    seen(work, alert)
    happened, sent = events(work, alert_id), deliveries.about(work, alert_id)
    people = accounts.names(work, [*(e.account_id for e in happened), *(d.account_id for d in sent)])
    return Record(alert, happened, sent, people)


def seen(work: Work, alert: Alert) -> None:
    """Put on record that the actor reads an alert, also where all they were to change was so already."""
    work.audit("alert.read", alert.patient_id, alert.id)


def events(work: Work, alert_id: UUID) -> Sequence[AlertEvent]:
    """Return the log of an alert, oldest first."""
    query = select(AlertEvent).where(AlertEvent.clinic_id == work.clinic_id, AlertEvent.alert_id == alert_id)
    return vault.opened(work, list(work.session.scalars(query.order_by(AlertEvent.number))))


def unacknowledged(work: Work, patient_id: UUID) -> Sequence[Alert]:
    """Return a patient's open alerts, most urgent and oldest first. What they found is not opened."""
    mine = Alert.clinic_id == work.clinic_id, Alert.patient_id == patient_id
    query = select(Alert).where(*mine, Alert.state == AlertState.OPEN)
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
