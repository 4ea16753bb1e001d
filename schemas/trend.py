"""The trend: the patient's own numbers by day. No judgement of the watch, no alert, no state."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from schemas.base import Answer, Body
from schemas.fields import Code, Day, Id, Moment
from server.clinical.vocabulary import Route, SessionStatus


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


class TrendAnswer(Answer):
    """Every day of the range."""

    first = Day(required=True)
    last = Day(required=True)
    days = fields.List(fields.Nested(TrendDayAnswer), required=True)
