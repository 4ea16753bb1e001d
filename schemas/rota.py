"""The rota on the wire: working hours, holidays, steps, fallback, and the check ahead."""

from collections.abc import Mapping, Sequence
from datetime import time
from itertools import pairwise
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, post_load, pre_dump, validate, validates_schema

from schemas.base import Answer, Body
from schemas.fields import Code, Day, Id, Moment, Text, TimeOfDay
from schemas.query import QueryWhole
from schemas.spelling import UUID, Fully
from server.clinical.coverage import GapReason
from server.clinical.rota import (
    ACCOUNT,
    MOST_HOLIDAYS,
    MOST_SPANS,
    MOST_STEPS,
    MOST_TARGETS,
    TARGETS,
    Week,
)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_LOOK = 60


class SpanBody(Body):
    """The clinic is at work from one time of a day until another one of the same day."""

    opens = TimeOfDay(required=True, metadata={"example": "08:00"})
    closes = TimeOfDay(required=True, metadata={"example": "18:00", "description": "00:00: the day's end"})

    @validates_schema
    def forward(self, data: Mapping[str, time], **_: Any) -> None:
        """Refuse a span that ends before it begins."""
        if time() < data["closes"] <= data["opens"]:
            raise ValidationError(
                "Lies before the opening; a night is two spans, until and from 00:00.", "closes"
            )


def _weekday() -> fields.List[Any]:
    return fields.List(
        fields.Nested(SpanBody), load_default=list, validate=[validate.Length(max=MOST_SPANS), _apart]
    )


def _apart(spans: Sequence[Mapping[str, time]]) -> None:
    """Refuse spans of a day that are not in order or that overlap."""
    for earlier, later in pairwise(spans):
        if earlier["closes"] == time() or later["opens"] < earlier["closes"]:
            raise ValidationError("Spans must be in order and must not overlap.")


class HoursBody(Body):
    """Working hours by weekday; inside, seven lists of pairs of times, Monday first."""

    monday = _weekday()
    tuesday = _weekday()
    wednesday = _weekday()
    thursday = _weekday()
    friday = _weekday()
    saturday = _weekday()
    sunday = _weekday()

    @post_load
    def week(self, data: Mapping[str, Any], **_: Any) -> Week:
        """Return the days as a week of pairs."""
        return tuple(tuple((span["opens"], span["closes"]) for span in data[day]) for day in WEEKDAYS)

    @pre_dump
    def named(self, week: Sequence[Sequence[Sequence[str]]], **_: Any) -> Mapping[str, Any]:
        """Return a week, as it is stored, by the names of its days."""
        read = time.fromisoformat
        return {
            day: [{"opens": read(opens), "closes": read(closes)} for opens, closes in spans]
            for day, spans in zip(WEEKDAYS, week, strict=True)
        }


class HolidayBody(Body):
    """A civil day on which the clinic is closed."""

    day = Day(required=True)
    name = Text(longest=100, shortest=1, required=True, metadata={"example": "Christmas Day"})


_TARGET = Fully(f"^({'|'.join(TARGETS)}|{ACCOUNT}{UUID})$", error="Must be a target: see the contract.")


class Target(fields.String):
    """Whom a step tells: a kind of people, or `account:` and an id."""

    def __init__(self) -> None:
        known = ", ".join(TARGETS)
        description = f"one of {known}, or account: and an account's id"
        metadata = {"description": description, "example": TARGETS[0]}
        super().__init__(required=True, validate=_TARGET, metadata=metadata)


def _once(values: Sequence[Any]) -> None:
    if len(set(values)) < len(values):
        raise ValidationError("Names one twice.")


def _each_day_once(holidays: Sequence[Mapping[str, Any]]) -> None:
    _once([one["day"] for one in holidays])


class RotaBody(Body):
    """The whole rota; what is not named in `hours` is closed. Times are of the clinic's zone."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "hours": {
            **{day: [{"opens": "08:00", "closes": "18:00"}] for day in WEEKDAYS[:4]},
            "friday": [{"opens": "08:00", "closes": "12:00"}, {"opens": "13:00", "closes": "16:00"}],
        },
        "holidays": [{"day": "2026-12-25", "name": "Christmas Day"}],
        "steps": [["own_clinician"], ["on_call", "clinicians"], ["clinicians", "coordinators", "admins"]],
        "fallback_account_id": None,
    }

    hours = fields.Nested(
        HoursBody, required=True, metadata={"description": "none at all: the clinic is always at work"}
    )
    holidays = fields.List(
        fields.Nested(HolidayBody),
        required=True,
        validate=[validate.Length(max=MOST_HOLIDAYS), _each_day_once],
    )
    steps = fields.List(
        fields.List(
            Target(),
            validate=[validate.Length(min=1, max=MOST_TARGETS), _once],
            metadata={"uniqueItems": True},
        ),
        required=True,
        validate=validate.Length(min=1, max=MOST_STEPS),
        metadata={"description": "step n is who hears at level n; the last one hears again and again"},
    )
    fallback_account_id = Id(
        required=True, allow_none=True, metadata={"description": "who hears where a step stands for nobody"}
    )


class HolidayAnswer(Answer):
    """A civil day on which the clinic is closed."""

    day = fields.String(required=True, metadata={"format": "date"})
    name = fields.String(required=True)


class RotaAnswer(Answer):
    """When the clinic is at work and who hears of an alert. Times are of the clinic's zone."""

    hours = fields.Nested(HoursBody, required=True)
    holidays = fields.List(fields.Nested(HolidayAnswer), required=True)
    steps = fields.List(fields.List(fields.String()), required=True)
    fallback_account_id = Id(required=True, allow_none=True)
    armed_at = Moment(
        required=True, allow_none=True, metadata={"description": "null: monitoring is not armed"}
    )
    armed_by = Id(required=True, allow_none=True)
    version = fields.Integer(required=True)


class CoverageQuery(Body):
    """How far ahead to look."""

    days = QueryWhole(low=1, high=LONGEST_LOOK, load_default=14)


class GapAnswer(Answer):
    """Hours in which nobody reachable would hear of an urgent alert at its first two levels."""

    starts = Moment(required=True)
    ends = Moment(required=True)
    why = Code(
        GapReason, required=True, metadata={"description": "fallback_only: the fallback alone would hear"}
    )


class CoverageAnswer(Answer):
    """The gaps ahead. Without one other than `fallback_only` monitoring can be armed."""

    armed = fields.Boolean(required=True)
    can_arm = fields.Boolean(
        required=True, metadata={"description": "the next 14 days have no gap that nobody closes"}
    )
    gaps = fields.List(fields.Nested(GapAnswer), required=True)


class OnCallAnswer(Answer):
    """Somebody who is on call now."""

    account_id = Id(required=True)
    name = fields.String(required=True)
    until = Moment(required=True)


class OnCallList(Answer):
    """Everybody who is on call now."""

    items = fields.List(fields.Nested(OnCallAnswer), required=True)
