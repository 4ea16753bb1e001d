"""What the patient gets back: the timeline, and what changed after a session, in words."""

from marshmallow import fields, validate

from schemas.base import Answer, Body, page_of
from schemas.entry import OwnEntryAnswer
from schemas.fields import Code, Day, Id, Moment, Zone
from schemas.query import QueryWhole
from schemas.trend import TrendSession
from server.clinical.vocabulary import Arm, Direction, Role

DAYS_MOST = 100


class TimelineQuery(Body):
    """A page of days, newest first."""

    cursor = Day(metadata={"description": "the day the page before ended on"})
    limit = QueryWhole(low=1, high=DAYS_MOST, load_default=14, metadata={"description": "days at the most"})


class PartAnswer(Answer):
    """The part of the scale's range the total lies in, lowest first, from 1."""

    number = fields.Integer(required=True)
    of = fields.Integer(required=True)
    low = fields.Float(required=True)
    high = fields.Float(required=True)


class TimelineScaleAnswer(Answer):
    """One filled scale, its current version. `sentences` are meant to be shown as they are."""

    id = Id(required=True)
    version = fields.Integer(required=True)
    instrument = fields.String(required=True, metadata={"example": "phq-9"})
    instrument_version = fields.Integer(required=True)
    title = fields.String(required=True)
    occurred_at = Moment(required=True)
    zone = Zone(required=True)
    total = fields.Float(required=True, allow_none=True)
    low = fields.Float(required=True, allow_none=True, metadata={"description": "null: it makes no total"})
    high = fields.Float(required=True, allow_none=True)
    direction = Code(Direction, required=True)
    prorated = fields.Boolean(required=True)
    superseded = fields.Boolean(
        required=True, metadata={"description": "answered again later; that answer counts"}
    )
    part = fields.Nested(PartAnswer, required=True, allow_none=True)
    sentences = fields.List(
        fields.String(),
        required=True,
        metadata={"example": ["The scale is read in 5 parts; this total lies in part 2 (5 to 9)."]},
    )
    seen_by_team_at = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "when your care team first opened your scales after this version came in"},
    )


class TimelineDayAnswer(Answer):
    """One day with something on it. `seen_by_team`: as what your care team opened your diary that day.

    `sentences`, meant to be shown as they are, say when your team saw what you reported on the day.
    """

    day = Day(required=True)
    entries = fields.List(fields.Nested(OwnEntryAnswer), required=True)
    questionnaire_responses = fields.List(fields.Nested(TimelineScaleAnswer), required=True)
    treatment_sessions = fields.List(fields.Nested(TrendSession), required=True)
    seen_by_team = fields.List(
        Code(Role),
        required=True,
        validate=validate.Length(max=len(Role)),
        metadata={"example": ["clinician"]},
    )
    sentences = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(max=1),
        metadata={"example": ["Your care team saw this on 3 March 2026."]},
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
