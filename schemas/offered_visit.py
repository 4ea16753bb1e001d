"""Visits as the patient sees them: neutral words, no reason."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validate

from schemas.base import Answer, Body
from schemas.fields import Code, Day, Id, Moment
from schemas.inbox import PreferredTimeAnswer, TimeSpanAnswer
from server.clinical.vocabulary import OfferedVisitState, PatientAnswer

MOST_TIMES = 5


class TimeSpanBody(Body):
    """A time that would suit."""

    starts_at = Moment(required=True)
    ends_at = Moment(required=True)


class VisitAnswerBody(Body):
    """What the patient says to what is offered, asked or booked. Sending it again changes nothing."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "answer": "declined",
        "preferred_times": [
            {"starts_at": "2026-05-06T08:00:00+02:00", "ends_at": "2026-05-06T12:00:00+02:00"}
        ],
    }

    answer = Code(PatientAnswer, required=True)
    preferred_times = fields.List(
        fields.Nested(TimeSpanBody),
        load_default=list,
        validate=validate.Length(max=MOST_TIMES),
        metadata={"description": "when they would rather come"},
    )


class OfferedVisitAnswer(Answer):
    """One visit. The window is in the patient's local days, both included."""

    id = Id(required=True)
    state = Code(OfferedVisitState, required=True)
    text = fields.String(
        required=True,
        metadata={
            "description": "in the language of `Accept-Language`, else of the clinic",
            "example": "Your clinic would like to arrange a visit between 5 May 2026 and 12 May 2026.",
        },
    )
    earliest = Day(required=True)
    latest = Day(required=True)
    minutes = fields.Integer(required=True)
    proposed_starts_at = Moment(required=True, allow_none=True)
    proposed_ends_at = Moment(required=True, allow_none=True)
    starts_at = Moment(required=True, allow_none=True)
    ends_at = Moment(required=True, allow_none=True)
    slots = fields.List(
        fields.Nested(TimeSpanAnswer),
        required=True,
        metadata={"description": "times that are free now; taking one is for the clinic"},
    )
    answer = Code(PatientAnswer, required=True, allow_none=True)
    answered_at = Moment(required=True, allow_none=True)
    preferred_times = fields.List(fields.Nested(PreferredTimeAnswer), required=True)
    version = fields.Integer(required=True)


class OfferedVisitsAnswer(Answer):
    """The patient's visits, newest first; those that ended in the last month among them."""

    items = fields.List(fields.Nested(OfferedVisitAnswer), required=True)
