"""What the schemas of the care team and of the scheduling system refuse. Nothing is changed in silence."""

import base64
from typing import Any

import pytest
from marshmallow import Schema, ValidationError
from uuid_utils.compat import uuid7

from schemas.alert import AlertQuery
from schemas.alert_handling import (
    AssignmentBody,
    FeedbackBody,
    ReopeningBody,
    ResolutionBody,
    SnoozeBody,
    VerdictBody,
)
from schemas.blood_pressure import BloodPressureBody
from schemas.booking_suggestion import ApprovalBody, ChangeBody, DismissalBody, SuggestionQuery
from schemas.clinic import ClinicChanges
from schemas.course import CourseBody, CourseChanges
from schemas.inbox import AppointmentBody, DeclineBody, InboxQuery, TimeBody
from schemas.offered_visit import TimeSpanBody, VisitAnswerBody
from schemas.precaution import PrecautionBody
from schemas.treatment_session import TreatmentSessionBody, TreatmentSessionChanges
from schemas.trend import TrendQuery
from schemas.visit_yield import VisitYieldQuery
from tests.visits import COURSE

SESSION = {"course_id": str(uuid7()), "status": "delivered", "at": "2026-03-02T10:00:00+01:00"}
APPOINTMENT = {"external_id": "apt-1", "starts_at": "2026-03-05T09:30:00+01:00"}
GOOD: dict[type[Schema], dict[str, Any]] = {
    CourseBody: COURSE,
    CourseChanges: {"phase": "taper", "ended_on": None},
    TreatmentSessionBody: SESSION,
    TreatmentSessionChanges: {"status": "cancelled"},
    ResolutionBody: {"outcome": "contacted", "note": "Called.\nComes in."},
    VerdictBody: {"verdict": "confirmed", "reason": "By her own account."},
    SnoozeBody: {"until": "2026-03-02T10:00:00+01:00", "reason": "Later."},
    AssignmentBody: {"account_id": str(uuid7()), "note": "Knows her."},
    ReopeningBody: {"reason": "The wrong one."},
    FeedbackBody: {"code": "safety_often", "usefulness": "noise"},
    ApprovalBody: {},
    DismissalBody: {"reason": "Not now."},
    ChangeBody: {"latest": "2026-03-12", "reason": "Away."},
    PrecautionBody: {"code": "liver"},
    VisitAnswerBody: {"answer": "accepted"},
    TimeSpanBody: {"starts_at": "2026-03-05T09:30:00Z", "ends_at": "2026-03-05T10:30:00Z"},
    ClinicChanges: {},
    BloodPressureBody: {"systolic": 120, "diastolic": 80},
    TimeBody: {"starts_at": "2026-03-05T09:30:00+01:00"},
    AppointmentBody: APPOINTMENT,
    DeclineBody: {"code": "other"},
    AlertQuery: {},
    SuggestionQuery: {},
    InboxQuery: {},
    VisitYieldQuery: {},
    TrendQuery: {},
}


def place(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


NOT_WHOLE = (3.9, "7", True, None, 0, 366, 1e400, [7])
NOT_TEXT = (7, True, None, "", " \n\t", "a\x00b", "a\x0bb", ["x"])
NOT_MOMENT = ("2026-03-02T10:00:00", "2026-03-02", 7, True, None, "soon", "0001-01-01T00:00:00+00:00")
NOT_DAY = ("2026-2-3", "2026-02-30", "2026-02-03T00:00:00Z", 7, True, "1066-10-14")
NOT_CODE = ("", "Intranasal", "unknown", 7, True, ["iv"])
NOT_ID = ("", "7", 7, True, "019C9F6A-0000-7000-8000-000000000001")
# Nonsense; a bare urgency; a moment without a zone, before the first, and an urgency that is none.
NOT_PLACE = (
    *("x", "UDI=", "é", "\x00", 7, True),
    *(place("P2 2026-03-02T10:00:00 " + str(uuid7())), place("P2 0001-01-01T00:00:00+14:00 " + str(uuid7()))),
    *(place("P9 2026-03-02T10:00:00Z " + str(uuid7())), place("P2 2026-03-02T10:00:00Z x")),
)
CASES: list[tuple[type[Schema], str, tuple[Any, ...]]] = [
    *((CourseBody, name, NOT_CODE) for name in ("route", "condition", "phase")),
    (CourseBody, "started_on", NOT_DAY),
    *((CourseBody, name, NOT_WHOLE) for name in ("min_interval_days", "max_interval_days")),
    (CourseChanges, "phase", NOT_CODE),
    (CourseChanges, "ended_on", NOT_DAY),
    *((CourseChanges, name, NOT_WHOLE) for name in ("min_interval_days", "max_interval_days")),
    (TreatmentSessionBody, "course_id", NOT_ID),
    *((TreatmentSessionBody, name, NOT_CODE) for name in ("status", "route")),
    (TreatmentSessionBody, "at", NOT_MOMENT),
    (TreatmentSessionChanges, "status", NOT_CODE),
    (TreatmentSessionChanges, "at", NOT_MOMENT),
    (ResolutionBody, "outcome", NOT_CODE),
    (ResolutionBody, "note", (*NOT_TEXT, "x" * 2001)),
    (VerdictBody, "verdict", NOT_CODE),
    *((schema, "reason", (*NOT_TEXT, "x" * 501)) for schema in (VerdictBody, SnoozeBody, ReopeningBody)),
    (SnoozeBody, "until", NOT_MOMENT),
    (AssignmentBody, "account_id", NOT_ID),
    (AssignmentBody, "note", (*NOT_TEXT, "x" * 501)),
    (FeedbackBody, "code", (7, True, None, "", "x" * 65)),
    (FeedbackBody, "usefulness", NOT_CODE),
    (ApprovalBody, "override_reason", NOT_TEXT),
    (DismissalBody, "reason", NOT_TEXT),
    (AppointmentBody, "external_id", (7, True, None, "", "a\nb", "x" * 201)),
    (AppointmentBody, "starts_at", NOT_MOMENT),
    (AppointmentBody, "ends_at", NOT_MOMENT),
    (VisitAnswerBody, "answer", NOT_CODE),
    (VisitAnswerBody, "preferred_times", ("soon", {}, 7, ["soon"], [{}], [{"starts_at": "soon"}], [{}] * 6)),
    *((TimeSpanBody, name, NOT_MOMENT) for name in ("starts_at", "ends_at")),
    (ClinicChanges, "patient_messages_by", NOT_CODE),
    (ClinicChanges, "visit_minutes", (3.9, "90", True, None, 4, 721)),
    (PrecautionBody, "code", NOT_CODE),
    *((PrecautionBody, name, NOT_DAY) for name in ("since", "until")),
    (PrecautionBody, "note", NOT_TEXT),
    (BloodPressureBody, "systolic", (3.9, "120", True, None, 49, 301)),
    (BloodPressureBody, "diastolic", (3.9, "80", True, None, 19, 201)),
    (BloodPressureBody, "measured_at", NOT_MOMENT),
    *((TimeBody, name, NOT_MOMENT) for name in ("starts_at", "ends_at")),
    *((ChangeBody, name, NOT_DAY) for name in ("earliest", "latest")),
    (ChangeBody, "urgency", NOT_CODE),
    (ChangeBody, "minutes", (3.9, "7", True, None, 1e400, [7], 4, 721)),
    *((ChangeBody, name, NOT_TEXT) for name in ("reason", "override_reason")),
    (AppointmentBody, "reschedule", ("true", 1, 0, None)),
    (DeclineBody, "code", NOT_CODE),
    (DeclineBody, "note", (7, True, None, "a\x00b", "x" * 501)),
    (AlertQuery, "state", NOT_CODE),
    *((AlertQuery, name, NOT_CODE) for name in ("urgency", "family")),
    *((AlertQuery, name, NOT_ID) for name in ("patient_id", "assigned_to")),
    *((AlertQuery, name, ("", "1", "True", 1, True, None)) for name in ("snoozed", "exhausted")),
    (AlertQuery, "cursor", NOT_PLACE),
    (AlertQuery, "limit", ("0", "201", "3.9", "x", "٣")),
    (SuggestionQuery, "state", NOT_CODE),
    (SuggestionQuery, "patient_id", NOT_ID),
    (SuggestionQuery, "blocked", ("", "1", "True", 1, True, None)),
    (InboxQuery, "state", NOT_CODE),
    (InboxQuery, "cursor", NOT_ID),
    (VisitYieldQuery, "months", ("0", "37", "3.9", "x", "٣", 7, True, None)),
    (TrendQuery, "first", NOT_DAY),
    (TrendQuery, "last", NOT_DAY),
]


@pytest.mark.parametrize(("schema", "member", "values"), CASES)
def test_a_value_that_does_not_fit_is_refused_by_name(
    schema: type[Schema], member: str, values: tuple[Any, ...]
) -> None:
    for value in values:
        with pytest.raises(ValidationError) as refused:
            schema().load({**GOOD[schema], member: value})
        assert set(refused.value.messages_dict) == {member}, value


@pytest.mark.parametrize("schema", GOOD)
def test_what_fits_is_taken_and_an_unknown_member_is_refused(schema: type[Schema]) -> None:
    schema().load(GOOD[schema])
    with pytest.raises(ValidationError) as refused:
        schema().load({**GOOD[schema], "dose_mg": 7})
    assert set(refused.value.messages_dict) == {"dose_mg"}


@pytest.mark.parametrize(
    ("schema", "needed"),
    [
        (CourseBody, set(COURSE)),
        (TreatmentSessionBody, set(SESSION)),
        (ResolutionBody, {"outcome", "note"}),
        (VerdictBody, {"verdict", "reason"}),
        (SnoozeBody, {"until", "reason"}),
        (AssignmentBody, {"account_id", "note"}),
        (ReopeningBody, {"reason"}),
        (FeedbackBody, {"code", "usefulness"}),
        (DismissalBody, {"reason"}),
        (AppointmentBody, set(APPOINTMENT)),
        (DeclineBody, {"code"}),
    ],
)
def test_what_is_needed_is_missed_by_name(schema: type[Schema], needed: set[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        schema().load({})
    assert set(refused.value.messages_dict) == needed
