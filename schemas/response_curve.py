"""The response curve: what each session did and how much of it is left. For the care team alone."""

from marshmallow import fields

from schemas.base import Answer
from schemas.fields import Code, Day, Id, Rounded
from server.clinical.vocabulary import Arm, Condition

_POINTS = "symptom composite in points, 0-10, higher is worse"


def _optional(description: str) -> Rounded:
    return Rounded(required=True, allow_none=True, metadata={"description": description})


class HoldingTimeAnswer(Answer):
    """Days after the session, and the patient's own times they rest on besides the cohort's."""

    low = Rounded(required=True)
    median = Rounded(required=True)
    high = Rounded(required=True)
    lost = fields.Integer(required=True, metadata={"description": "own times whose loss was seen"})
    censored = fields.Integer(
        required=True, metadata={"description": "own times cut off: treated again, or no more entries"}
    )


class ExpectedLossAnswer(Answer):
    """By when half of the benefit is expected to be lost: a range that holds four in five, and its middle."""

    session = Day(required=True, metadata={"description": "day of the session whose benefit it is"})
    low = Day(required=True)
    median = Day(required=True)
    high = Day(required=True)
    days = fields.Nested(HoldingTimeAnswer, required=True, attribute="time")
    cohort = fields.String(required=True, metadata={"example": "McInnes 2022"})


class OnsetAnswer(Answer):
    """When a response first showed after the session."""

    days = fields.Integer(required=True, metadata={"description": "full days"})
    hours = _optional("where an entry of that day says so")


class RetainedAnswer(Answer):
    """What is left of the benefit in percent, with its 80 % interval; not clipped to 0-100."""

    percent = Rounded(required=True)
    low = Rounded(required=True)
    high = Rounded(required=True)


class HeldAnswer(Answer):
    """How long the benefit was there, in days after the session."""

    until = fields.Integer(required=True, metadata={"description": "last day on which it was seen to hold"})
    lost_by = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "day by which half was lost; null where that was not seen"},
    )


class SessionCurveAnswer(Answer):
    """One session, seen from `until`: the day before the next session, or the last day it was followed.

    Without a response there is nothing to lose, and the members below `responded` are null.
    """

    session = Day(required=True, attribute="curve.session")
    until = Day(required=True, attribute="curve.until")
    retreated = fields.Boolean(
        required=True, attribute="curve.retreated", metadata={"description": "another session followed"}
    )
    best_level = Rounded(
        required=True, allow_none=True, attribute="curve.best_level", metadata={"description": _POINTS}
    )
    responded = fields.Boolean(
        required=True,
        allow_none=True,
        attribute="curve.responded",
        metadata={"description": "null where too few entries can say, or the patient was well before"},
    )
    onset = fields.Nested(OnsetAnswer, required=True, allow_none=True, attribute="curve.onset")
    retained = fields.Nested(RetainedAnswer, required=True, allow_none=True, attribute="curve.retained")
    held = fields.Nested(HeldAnswer, required=True, allow_none=True, attribute="curve.held")
    fade_per_week = Rounded(
        required=True,
        allow_none=True,
        attribute="curve.fade_per_week",
        metadata={"description": "points a week, positive while symptoms return"},
    )
    text = fields.String(required=True)


class CourseCurveAnswer(Answer):
    """One course, seen from `day`: its sessions of the last 180 days, oldest first."""

    course_id = Id(required=True)
    condition = Code(Condition, required=True)
    day = Day(required=True)
    began = Day(
        required=True,
        attribute="curve.began",
        metadata={"description": "the pre-treatment level is from the days before this one"},
    )
    pre_level = Rounded(
        required=True, allow_none=True, attribute="curve.pre_level", metadata={"description": _POINTS}
    )
    sessions = fields.List(fields.Nested(SessionCurveAnswer), required=True)


class ArmCurveAnswer(Answer):
    """One arm: its newest courses, oldest first, and what is expected of the newest session."""

    arm = Code(Arm, required=True)
    text = fields.String(required=True)
    expected_loss = fields.Nested(ExpectedLossAnswer, required=True, allow_none=True)
    courses = fields.List(fields.Nested(CourseCurveAnswer), required=True)


class ResponseCurveAnswer(Answer):
    """The arms the patient reports on; none before the first session."""

    arms = fields.List(fields.Nested(ArmCurveAnswer), required=True)
