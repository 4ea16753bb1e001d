"""The check-in plan: the patient sets how to be reminded, the care team which scales are asked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, time
from typing import Any
from uuid import UUID

from server.clinical import reminders
from server.models import CheckInPlan, Patient
from server.services import local_day as local_days
from server.services.errors import Invalid, Stale
from server.services.journal import planning
from server.services.people import patient as patients
from server.services.scales import scale as offered
from server.services.work import Work

_TIMES = ("remind_at", "quiet_from", "quiet_until")


def get(work: Work, patient_id: UUID) -> CheckInPlan:
    """Return a patient's plan, or raise NotFound; version 1 is the usual one."""
    return planning.plan_of(work, patients.get(work, patient_id))


def set_rhythm(work: Work, patient_id: UUID, values: Mapping[str, Any], version: int) -> CheckInPlan:
    """Set time, frequency, quiet hours and pause, and plan anew. Raises Stale and Invalid.

    ``values``: reminders, remind_at, every_days, quiet_from, quiet_until, pause (first, last) or None. What
    the plan says already, told by an older version of it, is no change: the answer to it was lost.
    """
    patient, plan = _held(work, patient_id)
    if plan.version != version and all(getattr(plan, key) == said for key, said in values.items()):
        return plan
    _check(plan, version)
    _set_pause(plan, values["pause"], local_days.of(work, work.now, patient.zone))
    for key in ("reminders", "remind_at", "every_days", "quiet_from", "quiet_until"):
        setattr(plan, key, values[key])
    rhythm = replace(planning.rhythm_of(work, plan), pause=None)
    if reminders.is_quiet(rhythm.at, rhythm):
        raise Invalid("/remind_at", "Lies in the quiet hours.")
    return _changed(work, patient, plan, "check-in-plan.set-rhythm")


def set_scales(
    work: Work, patient_id: UUID, scales: Sequence[Mapping[str, Any]], version: int
) -> CheckInPlan:
    """Set which scales are asked and when, and plan anew. Raises Stale; Invalid for a slot nobody filled."""
    unknown = offered.not_offered(work, {scale["instrument"] for scale in scales})
    for number, scale in enumerate(scales):
        if scale["instrument"] in unknown:
            raise Invalid(f"/scales/{number}/instrument", "Your clinic has not filled in its words yet.")
    return _set_scales(work, patient_id, scales, version)


def _set_scales(
    work: Work, patient_id: UUID, scales: Sequence[Mapping[str, Any]], version: int
) -> CheckInPlan:
    patient, plan = _open(work, patient_id, version)
    plan.scales = [_plain(scale) for scale in scales]
    return _changed(work, patient, plan, "check-in-plan.set-scales")


def restore(work: Work, patient_id: UUID, wanted: Mapping[str, Any]) -> CheckInPlan:
    """Set a plan as `content` gave it, where nobody has changed the patient's yet.

    Reminds from the next time on. Raises Stale where somebody has, Invalid for what could not be set today.
    """
    _open(work, patient_id, 1)  # also where it says the same by now: nothing is set anew
    times = {key: time.fromisoformat(wanted[key]) for key in _TIMES}
    pause = wanted["pause"] and {key: date.fromisoformat(day) for key, day in wanted["pause"].items()}
    rhythm = {**wanted, **times, "pause": pause}
    version = set_rhythm(work, patient_id, rhythm, 1).version
    # A scale without words here stays in the plan, and is not due until the clinic fills them in.
    plan = _set_scales(work, patient_id, wanted["scales"], version)
    if plan.next_at is not None:
        # The reminder of this hour may have been sent where the plan comes from: never two.
        zone = patients.get(work, patient_id).zone
        plan.next_at = reminders.next_look(work.now, planning.rhythm_of(work, plan), zone)
    return plan


def content(plan: CheckInPlan) -> dict[str, Any]:
    """Return what a plan says as JSON values: rhythm, pause and scales."""
    pause = plan.pause
    return {
        "reminders": plan.reminders,
        "every_days": plan.every_days,
        **{key: getattr(plan, key).isoformat("minutes") for key in _TIMES},
        "pause": pause and {key: day.isoformat() for key, day in pause.items()},
        "scales": plan.scales,
    }


def _open(work: Work, patient_id: UUID, version: int) -> tuple[Patient, CheckInPlan]:
    patient, plan = _held(work, patient_id)
    _check(plan, version)
    return patient, plan


def _held(work: Work, patient_id: UUID) -> tuple[Patient, CheckInPlan]:
    patients.get(work, patient_id)
    patient = patients.lock(work, patient_id)
    return patient, planning.plan_of(work, patient)


def _check(plan: CheckInPlan, version: int) -> None:
    if plan.version != version:
        raise Stale(plan)


def _changed(work: Work, patient: Patient, plan: CheckInPlan, action: str) -> CheckInPlan:
    plan.version += 1
    work.session.add(plan)
    planning.replan(work, patient)
    work.audit(action, patient.id)
    work.session.flush()
    return plan


def _set_pause(plan: CheckInPlan, pause: Mapping[str, date] | None, today: date) -> None:
    if pause is None:
        plan.pause_first = plan.pause_last = None
        return
    if pause["last"] > max(pause["first"], today) + reminders.LONGEST_PAUSE:
        raise Invalid("/pause/last", f"Pause {reminders.LONGEST_PAUSE.days} days at the most.")
    plan.pause_first, plan.pause_last = pause["first"], pause["last"]


def _plain(scale: Mapping[str, Any]) -> dict[str, Any]:
    return {key: v.isoformat() if isinstance(v, date) else v for key, v in scale.items()}
