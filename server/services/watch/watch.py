"""The state of the watch for a clinician: what it says now, on what, and what it said before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.clinical.holding_time import ExpectedLoss
from server.clinical.vocabulary import Arm, Stage
from server.models import Activation, Assessment, Patient, WatchMove
from server.services import local_day as local_days
from server.services.journal import occurrence as occurrences
from server.services.people import patient as patients
from server.services.scales import scale_request as scale_requests
from server.services.watch import activation as activations
from server.services.watch import assessment as assessments
from server.services.watch import response_curve as response_curves
from server.services.watch import watch_move as watch_moves
from server.services.work import Work

HISTORY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Asked:
    """A scale the watch asked for: on which local day, until the end of which, and whether it was filled."""

    instrument: str
    day: date
    last_day: date
    done: bool


@dataclass(frozen=True, slots=True)
class WatchedArm:
    """One arm: its newest judgement, the last word on each judged day of the last 30, and what it asked.

    All of it oldest first, but for the moves of its stage: newest first, ``since`` the day of the one
    that led to the stage. ``expected_loss`` is for the care team alone, None where nobody can say.
    """

    arm: Arm
    latest: Assessment
    history: Sequence[Assessment]
    asked: Sequence[Asked]
    expected_loss: ExpectedLoss | None
    stage: Stage
    since: date | None
    moves: Sequence[WatchMove]


@dataclass(frozen=True, slots=True)
class WatchedActivation:
    """The activation watch: newest judgement, the last word on each of the last 30 days, levels of today.

    ``levels`` is JSON-ready, by item (`clinical.mania.plain_chart`).
    """

    at_risk: bool
    bipolar_risk: Sequence[str]
    latest: Activation | None
    history: Sequence[Activation]
    levels: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Watched:
    """Everything the watch says of one patient."""

    arms: Sequence[WatchedArm]
    activation: WatchedActivation


def read(work: Work, patient_id: UUID) -> Watched:
    """Return the arms that were ever judged, and the activation watch. Audited: it is health data."""
    patient = patients.get(work, patient_id)
    work.audit("watch.read", patient_id)
    found = ((arm, assessments.latest(work, patient_id, arm)) for arm in Arm)
    asked = _asked(work, patient)
    losses = response_curves.expected_losses(work, patient)
    arms = [
        _arm(work, patient, latest, asked.get(arm, ()), losses.get(arm))
        for arm, latest in found
        if latest is not None
    ]
    return Watched(arms, _activation(work, patient))


def _arm(
    work: Work, patient: Patient, latest: Assessment, asked: Sequence[Asked], loss: ExpectedLoss | None
) -> WatchedArm:
    moves = watch_moves.newest(work, patient.id, latest.arm)
    stage = moves[0].after if moves else Stage.CALM
    # The newest row of a day says what the day comes to; one that late data corrected does not count.
    days = {move.day: move for move in reversed(moves)}
    led = [move.day for move in days.values() if move.after is stage and move.begun is not stage]
    return WatchedArm(
        arm=latest.arm,
        latest=latest,
        history=_history(work, patient, latest.arm),
        asked=asked,
        expected_loss=loss,
        stage=stage,
        since=max(led, default=None),
        moves=moves,
    )


def _activation(work: Work, patient: Patient) -> WatchedActivation:
    today = local_days.of(work, work.now, patient.zone)
    # A day ahead: a phone that has travelled may have reported tomorrow already.
    found = activations.history(work, patient.id, today - HISTORY, today + timedelta(days=1))
    return WatchedActivation(
        at_risk=activations.is_at_risk(work, patient),
        bipolar_risk=patient.bipolar_risk,
        latest=found[-1] if found else None,
        history=found,
        levels=activations.chart(work, patient, today),
    )


def _asked(work: Work, patient: Patient) -> Mapping[Arm, Sequence[Asked]]:
    requests = scale_requests.recent(work, patient)
    keys = {scale_requests.occurrence_of(row).key for row in requests}
    done = occurrences.done(work, patient.id, keys) if keys else set()
    found: dict[Arm, list[Asked]] = {}
    for row in requests:
        is_done = scale_requests.occurrence_of(row).key in done
        found.setdefault(row.arm, []).append(Asked(row.instrument, row.local_day, row.last_day, is_done))
    return found


def _history(work: Work, patient: Patient, arm: Arm) -> Sequence[Assessment]:
    query = select(Assessment).where(
        Assessment.clinic_id == work.clinic_id,
        Assessment.patient_id == patient.id,
        Assessment.arm == arm,
        Assessment.day > local_days.of(work, work.now, patient.zone) - HISTORY,
    )
    order = (
        Assessment.day,
        Assessment.data_version,
        Assessment.policy_version,
        Assessment.patient_policy_version,
    )
    # Late data make a day judged again: the last judgement of each day is the one that holds.
    return list({row.day: row for row in work.session.scalars(query.order_by(*order))}.values())
