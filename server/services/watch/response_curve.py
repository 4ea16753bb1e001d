"""The response curve of a patient's courses, and when the present benefit is expected to be lost.

For the care team alone: patients get no forecast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from server.clinical.curve_words import tell_arm, tell_session
from server.clinical.durability import (
    ResponseCurve,
    SessionCurve,
    expected_loss,
    response_curves,
    usual_loss,
)
from server.clinical.holding_time import ExpectedLoss, prior_of
from server.clinical.policy import Policy
from server.clinical.readings import arms_of
from server.clinical.vocabulary import Arm, Condition
from server.models import Patient
from server.services import local_day as local_days
from server.services.people import patient as patients
from server.services.watch import course_diary as course_diaries
from server.services.watch import policy as policies
from server.services.watch.course_diary import FollowedCourse
from server.services.work import Work


@dataclass(frozen=True, slots=True)
class ToldSession:
    """What one session did, in figures and in a sentence."""

    curve: SessionCurve
    text: str


@dataclass(frozen=True, slots=True)
class CourseCurve:
    """One course of one arm, seen from ``day``; its sessions of the last 180 days, oldest first."""

    course_id: UUID
    condition: Condition
    day: date
    curve: ResponseCurve
    sessions: Sequence[ToldSession]


@dataclass(frozen=True, slots=True)
class ArmCurve:
    """One arm: its newest courses, oldest first, and what is to be expected of the newest session."""

    arm: Arm
    text: str
    expected_loss: ExpectedLoss | None
    courses: Sequence[CourseCurve]


def read(work: Work, patient_id: UUID) -> Sequence[ArmCurve]:
    """Return the arms the patient reports on; none before the first session. Audited: it is health data."""
    patient = patients.get(work, patient_id)
    work.audit("response-curve.read", patient_id)
    today, policy = local_days.of(work, work.now, patient.zone), policies.of_patient(work, patient)
    courses = course_diaries.load(work, patient, today)
    arms = arms_of(course_diaries.history_of(courses))
    return [_arm_curve(courses, arm, policy, today) for arm in arms]


def expected_losses(work: Work, patient: Patient) -> Mapping[Arm, ExpectedLoss]:
    """Return for each arm when the benefit of the newest session is expected to be half lost, where known."""
    today, policy = local_days.of(work, work.now, patient.zone), policies.of_patient(work, patient)
    courses = course_diaries.load(work, patient, today)
    if not _is_current(courses, today):
        return {}
    arms = arms_of(course_diaries.history_of(courses))
    found = ((arm, _expected(courses, _curves(courses, arm, policy), arm, policy)) for arm in arms)
    return {arm: loss for arm, loss in found if loss is not None}


def usual(work: Work, patient: Patient, arm: Arm, today: date) -> ExpectedLoss | None:
    """Return when it was expected to be, on the day of the newest session: what a visit is planned by."""
    policy = policies.of_patient(work, patient)
    courses = course_diaries.load(work, patient, today)
    if not _is_current(courses, today):
        return None
    return usual_loss(_curves(courses, arm, policy), prior_of(courses[-1].condition, arm), policy)


def sessions(work: Work, patient: Patient, arm: Arm) -> Sequence[SessionCurve]:
    """Return what each followed session did for ``arm``, as of today, the newest course last."""
    today, policy = local_days.of(work, work.now, patient.zone), policies.of_patient(work, patient)
    courses = course_diaries.load(work, patient, today)
    return [session for curve in _curves(courses, arm, policy) for session in curve.sessions]


def _arm_curve(courses: Sequence[FollowedCourse], arm: Arm, policy: Policy, today: date) -> ArmCurve:
    curves = _curves(courses, arm, policy)
    loss = _expected(courses, curves, arm, policy) if _is_current(courses, today) else None
    told = [_told(course, curve, policy) for course, curve in zip(courses, curves, strict=True)]
    return ArmCurve(arm, tell_arm(curves[-1], loss, policy), loss, told)


def _told(course: FollowedCourse, curve: ResponseCurve, policy: Policy) -> CourseCurve:
    sessions = [ToldSession(session, tell_session(curve, session, policy)) for session in curve.sessions]
    return CourseCurve(course.id, course.condition, course.day, curve, sessions)


def _curves(courses: Sequence[FollowedCourse], arm: Arm, policy: Policy) -> Sequence[ResponseCurve]:
    return response_curves([(course.diary, course.day) for course in courses], arm, policy)


def _expected(
    courses: Sequence[FollowedCourse], curves: Sequence[ResponseCurve], arm: Arm, policy: Policy
) -> ExpectedLoss | None:
    return expected_loss(curves, prior_of(courses[-1].condition, arm), policy)


def _is_current(courses: Sequence[FollowedCourse], today: date) -> bool:
    """Whether the newest session is still followed: what came of an older one is long known."""
    return bool(courses) and courses[-1].day == today
