"""The proof that messages arrive: a synthetic patient's emergency, told over every channel for real.

It lives in the clinic of whoever runs this service. Its alert, deliveries and worker are those of every
patient; only its text differs, and nobody is told anew while it is open: the next probe judges it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, Select, delete, select
from sqlalchemy.orm import Session

from server.clinical.vocabulary import (
    LOST,
    TAKEN,
    AlertClass,
    AlertFamily,
    AlertState,
    Channel,
    DeliveryState,
    Outcome,
)
from server.models import Account, Alert, AlertEvent, ContactPoint, Delivery, Patient
from server.services import vault
from server.services.alerts import alert_handling, episode
from server.services.alerts.episode import Finding
from server.services.job_run import AHEAD
from server.services.messages import contact_point as contact_points
from server.services.messages import operations
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.work import Work

NAME, ZONE, CODE = "Probe", "UTC", "probe"
# What an emergency may take until every channel has it.
IN_TIME = timedelta(minutes=2)
# An older one was raised before the worker was stopped, and says nothing of the channels now.
JUDGED_FOR = timedelta(minutes=30)
_NOT_CONFIGURED = "not_configured"
# The last one may still be under way, the one before it may have had other channels.
_LOOKED_AT = 4


class Verdict(StrEnum):
    """ok: taken in time. late: not in time, taken or not. failed: it will not arrive."""

    OK = "ok"
    LATE = "late"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Probed:
    """What became of a probe over one channel.

    ``seconds`` until it was taken, None where it was not; ``verdict`` is None while it is under way.
    """

    channel: Channel
    sent_at: datetime
    state: DeliveryState
    seconds: float | None
    verdict: Verdict | None


def ready(session: Session, now: datetime, email: str, wanted: Mapping[Channel, str]) -> Work:
    """Make sure of the synthetic patient and of where its alerts go; return the work of their clinic.

    ``wanted``: an address for each channel beside ``email``, as the channel writes it. A former
    address is retired, one that was found dead is tried again.
    """
    work = operations.ensure(session, now, email)
    account = operations.account(work)
    assert account is not None, "made a moment ago"
    known = {(point.channel, point.address): point for point in _points(work, account)}
    for former in known.keys() - wanted.items():
        contact_points.retire(session, work.clinic_id, known[former].id, now, _NOT_CONFIGURED)
    for channel, address in sorted(wanted.items() - known.keys()):
        contact_points.add(work, account.id, channel, address)
    if _patient(work) is None:
        patients.create(work, {"name": NAME, "zone": ZONE})
    return work


def send(work: Work) -> int:
    """Raise the synthetic patient's emergency; return over how many channels it is told."""
    patient = _patient(work)
    assert patient is not None, "`ready` comes first"
    finding = Finding(
        family=AlertFamily.SAFETY,
        urgency=AlertClass.P0,
        day=work.now.astimezone(UTC).date(),
        codes=(CODE,),
        summary="Afterglow's own test that messages arrive.",
    )
    alert = episode.raise_alert(work, patient, finding)
    assert alert is not None, "a red flag opens an episode whenever there is none"
    work.session.flush()
    return len(_deliveries(work.session, work.clinic_id, [alert.id]))


def judge(work: Work) -> Sequence[Probed]:
    """Close the probe before and return what became of it, by channel; nothing where there is none to judge.

    One that was raised before the worker stood still for long is closed without being judged.
    """
    patient = _patient(work)
    alert = None if patient is None else episode.open_episode(work, patient.id, AlertFamily.SAFETY)
    if alert is None:
        return []
    judged = [_probed(row, work.now) for row in _deliveries(work.session, work.clinic_id, [alert.id])]
    alert_handling.close(work, alert, Outcome.NO_ACTION_NEEDED, "")
    return judged if work.now - alert.opened_at <= JUDGED_FOR else []


def newest(session: Session, now: datetime) -> Sequence[Probed]:
    """Return the newest probe of each channel that is used now: the last with a verdict, else the last.

    Not of a clock that was ahead: until its day came nothing newer would be seen.
    """
    clinic_id = clinics.operations_id(session)
    if clinic_id is None:
        return []
    ours = select(Alert.id).where(Alert.clinic_id == clinic_id, Alert.opened_at <= now + AHEAD)
    latest = ours.order_by(Alert.opened_at.desc()).limit(_LOOKED_AT)
    told: dict[UUID, dict[Channel, Probed]] = {alert_id: {} for alert_id in session.scalars(latest)}
    for row in _deliveries(session, clinic_id, told):
        told[row.subject_id][row.channel] = _probed(row, now)
    runs = list(told.values())
    return [_last_judged(runs, channel) for channel in sorted(runs[0] if runs else ())]


def forget(session: Session, before: datetime) -> int:
    """Remove closed probes opened before ``before`` with all that hangs on them; return how many."""
    clinic_id = clinics.operations_id(session)
    if clinic_id is None:
        return 0
    old = select(Alert.id).where(
        Alert.clinic_id == clinic_id, Alert.opened_at < before, Alert.state == AlertState.RESOLVED
    )
    _remove(session, clinic_id, old)
    gone = session.execute(delete(Alert).where(Alert.clinic_id == clinic_id, Alert.id.in_(old)))
    session.execute(
        delete(ContactPoint).where(ContactPoint.clinic_id == clinic_id, ContactPoint.retired_at < before)
    )
    return cast("CursorResult[Any]", gone).rowcount


def _remove(session: Session, clinic_id: UUID, alerts: Select[UUID]) -> None:
    session.execute(delete(Delivery).where(Delivery.clinic_id == clinic_id, Delivery.subject_id.in_(alerts)))
    session.execute(
        delete(AlertEvent).where(AlertEvent.clinic_id == clinic_id, AlertEvent.alert_id.in_(alerts))
    )


def _last_judged(runs: Sequence[Mapping[Channel, Probed]], channel: Channel) -> Probed:
    mine = [run[channel] for run in runs if channel in run]
    return next((one for one in mine if one.verdict is not None), mine[0])


def _probed(row: Delivery, now: datetime) -> Probed:
    taken_after = None
    if row.state in TAKEN and row.finished_at is not None:
        taken_after = row.finished_at - row.created_at
    return Probed(
        channel=row.channel,
        sent_at=row.created_at,
        state=row.state,
        seconds=None if taken_after is None else taken_after.total_seconds(),
        verdict=_verdict(row.state, taken_after, now - row.created_at),
    )


def _verdict(state: DeliveryState, taken_after: timedelta | None, age: timedelta) -> Verdict | None:
    if state in LOST:
        return Verdict.FAILED
    if taken_after is None:
        return Verdict.LATE if age > IN_TIME else None
    return Verdict.LATE if taken_after > IN_TIME else Verdict.OK


def _deliveries(session: Session, clinic_id: UUID, alert_ids: Collection[UUID]) -> Sequence[Delivery]:
    if not alert_ids:
        return []
    # In no order: one by id would lead the planner along all of the clinic's deliveries.
    query = select(Delivery).where(Delivery.clinic_id == clinic_id, Delivery.subject_id.in_(alert_ids))
    return list(session.scalars(query))


def _patient(work: Work) -> Patient | None:
    query = select(Patient).where(Patient.clinic_id == work.clinic_id).order_by(Patient.id).limit(1)
    return work.session.scalar(query)


def _points(work: Work, account: Account) -> Sequence[ContactPoint]:
    query = select(ContactPoint).where(
        ContactPoint.clinic_id == work.clinic_id,
        ContactPoint.account_id == account.id,
        ContactPoint.retired_at.is_(None),
    )
    return vault.opened(work, list(work.session.scalars(query)))
