"""What the patient gets back: the timeline, and what changed after a session, in words."""

from marshmallow import fields, validate

from schemas.base import Answer, Body, page_of
from schemas.entry import OwnEntryAnswer
from schemas.fields import Code, Day, QueryWhole
from schemas.trend import TrendSession
from server.clinical.vocabulary import Arm, Role

DAYS_MOST = 100


class TimelineQuery(Body):
    """A page of days, newest first."""

    cursor = Day(metadata={"description": "the day the page before ended on"})
    limit = QueryWhole(low=1, high=DAYS_MOST, load_default=14, metadata={"description": "days at the most"})


class TimelineDayAnswer(Answer):
    """One day with something on it. `seen_by_team`: as what your care team opened your diary that day."""

    day = Day(required=True)
    entries = fields.List(fields.Nested(OwnEntryAnswer), required=True)
    treatment_sessions = fields.List(fields.Nested(TrendSession), required=True)
    seen_by_team = fields.List(
        Code(Role),
        required=True,
        validate=validate.Length(max=len(Role)),
        metadata={"example": ["clinician"]},
    )


TimelinePage = page_of(TimelineDayAnswer, "TimelinePage")


class SpanAnswer(Answer):
    """An average over some days; `mean` (points, higher is worse) is null where too few were logged."""

    first = Day(required=True)
    last = Day(required=True)
    days = fields.Integer(required=True, metadata={"description": "days that were logged"})
    mean = fields.Float(required=True, allow_none=True)


class ResponseAnswer(Answer):
    """What changed after the latest sessions, for one arm. `sentences` are meant to be shown as they are."""

    arm = Code(Arm, required=True)
    before = fields.Nested(SpanAnswer, required=True, allow_none=True)
    after = fields.Nested(SpanAnswer, required=True, allow_none=True)
    lately = fields.Nested(SpanAnswer, required=True, allow_none=True)
    sentences = fields.List(
        fields.String(),
        required=True,
        metadata={"example": ["In the last 7 days they were about the same on average as in those days."]},
    )


class ResponsesAnswer(Answer):
    """One response for each arm."""

    items = fields.List(fields.Nested(ResponseAnswer), required=True)
