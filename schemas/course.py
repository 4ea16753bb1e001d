"""Courses of treatment."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body, page_of
from schemas.fields import Code, Day, Id, Moment, Whole
from server.clinical.vocabulary import Condition, Phase, Route

LONGEST_INTERVAL = 365


def _interval(description: str, required: bool = False) -> Whole:
    return Whole(low=1, high=LONGEST_INTERVAL, required=required, metadata={"description": description})


class CourseBody(Body):
    """A course to plan."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "route": "intranasal",
        "condition": "depression",
        "phase": "maintenance",
        "started_on": "2026-02-02",
        "min_interval_days": 7,
        "max_interval_days": 28,
    }

    route = Code(Route, required=True)
    condition = Code(Condition, required=True)
    phase = Code(Phase, required=True)
    started_on = Day(required=True)
    min_interval_days = _interval("days between sessions at the least", required=True)
    max_interval_days = _interval("days between sessions at the most", required=True)


class CourseChanges(Body):
    """What may change while a course runs. `ended_on` null opens it again."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"phase": "maintenance"}

    phase = Code(Phase)
    ended_on = Day(
        allow_none=True,
        metadata={
            "description": "not ahead: a course with an end has ended; `started_on` calls off one that has "
            "not begun"
        },
    )
    min_interval_days = _interval("days between sessions at the least")
    max_interval_days = _interval("days between sessions at the most")


class CourseAnswer(Answer):
    """One course."""

    id = Id(required=True)
    patient_id = Id(required=True)
    route = Code(Route, required=True)
    condition = Code(Condition, required=True)
    phase = Code(Phase, required=True)
    started_on = Day(required=True)
    ended_on = Day(required=True, allow_none=True)
    min_interval_days = fields.Integer(required=True)
    max_interval_days = fields.Integer(required=True)
    created_at = Moment(required=True)
    version = fields.Integer(required=True)


CoursePage = page_of(CourseAnswer, "CoursePage")
