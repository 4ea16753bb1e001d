"""The trend: the patient's own numbers by day. No judgement of the watch, no alert, no state."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from schemas.base import Answer, Body
from schemas.fields import Code, Day, Id, Moment
from server.clinical.vocabulary import Direction, Route, Sensitivity, SessionStatus


class TrendQuery(Body):
    """A range of days, both included; by default the last 90, at most 400."""

    first = Day(metadata={"description": "first day"})
    last = Day(metadata={"description": "last day; the patient's today by default"})

    @validates_schema
    def forward(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a range that runs backward."""
        if "first" in data and "last" in data and data["first"] > data["last"]:
            raise ValidationError("Lies after the last day.", "first")


class CompositesAnswer(Answer):
    """Symptom composites in points, 0-10, higher is worse; null where the day does not say enough."""

    mood = fields.Float(required=True, allow_none=True)
    pain = fields.Float(required=True, allow_none=True)


class TrendSession(Answer):
    """A treatment session on its day."""

    id = Id(required=True)
    status = Code(SessionStatus, required=True)
    route = Code(Route, required=True)
    at = Moment(required=True)


class TrendDayAnswer(Answer):
    """One day; without entries `items` is empty."""

    day = Day(required=True)
    items = fields.Dict(
        keys=fields.String(),
        values=fields.Float(),
        required=True,
        metadata={"description": "folded values in the items' own units", "example": {"mood": 6.5}},
    )
    composites = fields.Nested(CompositesAnswer, required=True)
    treatment_sessions = fields.List(fields.Nested(TrendSession), required=True)


class FilledScaleAnswer(Answer):
    """One filling. `answered` of the scale's `items`; null where a total was typed in."""

    id = Id(required=True)
    day = Day(required=True)
    occurred_at = Moment(required=True)
    total = fields.Float(
        required=True, allow_none=True, metadata={"description": "null where too much was left open"}
    )
    prorated = fields.Boolean(required=True, metadata={"description": "made from fewer items than there are"})
    answered = fields.Integer(required=True, allow_none=True)


class ScaleSeriesAnswer(Answer):
    """One scale in one version, oldest filling first; versions are not mixed."""

    instrument = fields.String(required=True, attribute="instrument.key", metadata={"example": "phq-9"})
    instrument_version = fields.Integer(required=True, attribute="instrument.version")
    title = fields.String(required=True, attribute="instrument.title")
    low = fields.Float(
        required=True, attribute="instrument.scoring.low", metadata={"description": "lowest possible total"}
    )
    high = fields.Float(
        required=True, attribute="instrument.scoring.high", metadata={"description": "highest possible total"}
    )
    direction = Code(Direction, required=True, attribute="instrument.direction")
    sensitivity = Code(Sensitivity, required=True, attribute="instrument.sensitivity")
    items = fields.Function(
        lambda series: len(series.instrument.scored_items),
        required=True,
        metadata={"type": "integer", "description": "questions that count"},
    )
    responses = fields.List(fields.Nested(FilledScaleAnswer), required=True)


class TrendAnswer(Answer):
    """Every day of the range, and every scale that makes a total and was filled in it."""

    first = Day(required=True)
    last = Day(required=True)
    days = fields.List(fields.Nested(TrendDayAnswer), required=True)
    scales = fields.List(fields.Nested(ScaleSeriesAnswer), required=True)
