"""Alert episodes: opened by a finding, joined by repeats, raised by worsening, closed with an outcome."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from uuid_utils.compat import uuid7

from server.clinical.lifecycle import ALERT_MOVES, AlertAction, move
from server.clinical.redflags import RedFlag
from server.clinical.vocabulary import AlertClass, AlertFamily, AlertState, Outcome
from server.models import Alert, AlertEvent, Delivery, Entry, Patient
from server.services import account as accounts
from server.services import clinic as clinics
from server.services import delivery as deliveries
from server.services import vault
from server.services.errors import NotFound, Stale
from server.services.work import Work

_LOCKED_OUT = frozenset({AlertFamily.MOOD_RELAPSE, AlertFamily.PAIN_RELAPSE})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the care team must hear of. `codes` name what was found; `summary` is for clinicians."""

    family: AlertFamily
    urgency: AlertClass
    day: date
    codes: tuple[str, ...]
    summary: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def findings_of(flags: Sequence[RedFlag], entry: Entry) -> Iterable[Finding]:
    """Return one finding per family for the red flags of one entry."""
    for family in dict.fromkeys(flag.family for flag in flags):
        mine = [flag for flag in flags if flag.family is family]
        codes = tuple(flag.code for flag in mine)
        yield Finding(
            family=family,
            urgency=min(flag.urgency for flag in mine),
            day=entry.local_day,
            codes=codes,
            summary=f"The patient reported {', '.join(code.replace('_', ' ') for code in codes)}.",
            evidence={
                "entries": [str(entry.id)],
                "flags": [{"code": f.code, "urgency": f.urgency} for f in mine],
            },
        )


def raise_alert(work: Work, patient: Patient, finding: Finding) -> Alert | None:
    """Open an episode, or join the open one.

    A more urgent finding always gets through: the episode is open again and everybody is told anew.
    A repeat joins silently. A relapse finding within the lock-out after its episode was resolved
    opens nothing (None).
    """
    current = _current(work, patient.id, finding.family)
    if current is None:
        return None if _locked_out(work, patient.id, finding) else _open(work, patient, finding)
    if finding.urgency < current.urgency:
        _worsen(work, current, finding)
    elif not set(finding.codes) <= set(current.codes) or finding.day > current.day:
        current.codes = sorted({*current.codes, *finding.codes})
        current.day = max(current.day, finding.day)
        current.version += 1
        log(work, current, "repeated", {"day": finding.day.isoformat(), "codes": list(finding.codes)})
    return current


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
    return list(work.session.scalars(query.order_by(AlertEvent.number)))


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
        alert.state, alert.acknowledged_at, alert.acknowledged_by = after, work.now, work.actor.account_id
        alert.version += 1
        log(work, alert, "acknowledged")
        work.audit("alert.acknowledge", alert.patient_id, alert.id)
    return alert


def resolve(work: Work, alert_id: UUID, outcome: Outcome, note: str, version: int) -> Alert:
    """Close an episode with its outcome. Raises Stale when it changed since ``version``."""
    alert = get(work, alert_id, lock=True)
    if alert.version != version:
        raise Stale(alert)
    alert.state = move(ALERT_MOVES, alert.state, AlertAction.RESOLVE)
    alert.outcome = outcome
    vault.put(work, alert, "resolution_note", note)
    alert.resolved_at, alert.resolved_by = work.now, work.actor.account_id
    alert.version += 1
    log(work, alert, "resolved", {"outcome": outcome})
    work.audit("alert.resolve", alert.patient_id, alert.id)
    return alert


def escalate(work: Work, alert: Alert, level: int) -> None:
    """Tell the people of ``level`` too."""
    alert.level = level
    alert.version += 1
    told = deliveries.enqueue(work, alert)
    log(work, alert, "escalated", {"level": level, "told": told})


def unacknowledged(work: Work) -> Sequence[Alert]:
    """Return the clinic's open alerts, most urgent and oldest first."""
    query = select(Alert).where(Alert.clinic_id == work.clinic_id, Alert.state == AlertState.OPEN)
    return list(work.session.scalars(query.order_by(Alert.urgency, Alert.opened_at, Alert.id)))


def disprove(work: Work, patient_id: UUID, family: AlertFamily, day: date) -> None:
    """Say on the open episode of ``family`` that later data no longer support its finding of ``day``."""
    alert = _current(work, patient_id, family)
    if alert is not None and alert.day == day and not alert.evidence.get("disproved"):
        alert.evidence = {**alert.evidence, "disproved": True}
        alert.version += 1
        log(work, alert, "disproved", {"day": day.isoformat()})


def log(work: Work, alert: Alert, kind: str, detail: dict[str, Any] | None = None) -> None:
    """Append one line to the alert's log."""
    work.session.flush()
    last = work.session.scalar(
        select(func.max(AlertEvent.number)).where(
            AlertEvent.clinic_id == alert.clinic_id, AlertEvent.alert_id == alert.id
        )
    )
    event = AlertEvent(
        clinic_id=alert.clinic_id,
        alert_id=alert.id,
        number=(last or 0) + 1,
        kind=kind,
        at=work.now,
        account_id=work.actor.account_id,
        detail=detail or {},
    )
    work.session.add(event)
    work.session.flush()


def _current(work: Work, patient_id: UUID, family: AlertFamily) -> Alert | None:
    return work.session.scalar(
        select(Alert).where(
            Alert.clinic_id == work.clinic_id,
            Alert.patient_id == patient_id,
            Alert.family == family,
            Alert.state != AlertState.RESOLVED,
        )
    )


def _locked_out(work: Work, patient_id: UUID, finding: Finding) -> bool:
    if finding.family not in _LOCKED_OUT:
        return False
    days = clinics.policy(work).whole("alert.lockout_days")
    recent = select(Alert.id).where(
        Alert.clinic_id == work.clinic_id,
        Alert.patient_id == patient_id,
        Alert.family == finding.family,
        Alert.urgency <= finding.urgency,
        Alert.resolved_at > work.now - timedelta(days=days),
    )
    return work.session.scalar(recent.limit(1)) is not None


def _open(work: Work, patient: Patient, finding: Finding) -> Alert:
    alert = Alert(
        clinic_id=work.clinic_id,
        id=uuid7(),
        patient_id=patient.id,
        family=finding.family,
        urgency=finding.urgency,
        state=AlertState.OPEN,
        level=0,
        day=finding.day,
        codes=sorted(finding.codes),
        summary=finding.summary,
        evidence=dict(finding.evidence),
        opened_at=work.now,
        worsened_at=work.now,
        version=1,
    )
    work.session.add(alert)
    log(work, alert, "opened", {"urgency": finding.urgency, "told": deliveries.enqueue(work, alert)})
    work.audit("alert.open", patient.id, alert.id)
    return alert


def _worsen(work: Work, alert: Alert, finding: Finding) -> None:
    alert.state = move(ALERT_MOVES, alert.state, AlertAction.WORSEN)
    alert.urgency, alert.level, alert.worsened_at = finding.urgency, 0, work.now
    alert.codes = sorted({*alert.codes, *finding.codes})
    alert.day, alert.summary = max(alert.day, finding.day), finding.summary
    alert.evidence = {**finding.evidence, "before": alert.evidence}
    alert.acknowledged_at = alert.acknowledged_by = None
    alert.version += 1
    log(work, alert, "worsened", {"urgency": finding.urgency, "told": deliveries.enqueue(work, alert)})
