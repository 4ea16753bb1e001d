"""Private addresses under which calendar programs read the clinic's visits."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Id, Moment, Text


class CalendarFeedBody(Body):
    """For whom the address is, so that the right one can be taken away later."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"name": "Front desk"}

    name = Text(longest=100, shortest=1, required=True)


class CalendarFeedAnswer(Answer):
    """A feed in use. `read_at`: when a program last read it, to the hour."""

    id = Id(required=True)
    name = fields.String(required=True)
    created_by = Id(required=True)
    created_at = Moment(required=True)
    read_at = Moment(required=True, allow_none=True)


class CalendarFeedList(Answer):
    """The clinic's feeds, oldest first."""

    items = fields.List(fields.Nested(CalendarFeedAnswer), required=True)


class OpenedCalendarFeedAnswer(Answer):
    """A feed and its address, which is shown here once. Whoever knows it reads the visits."""

    feed = fields.Nested(CalendarFeedAnswer, required=True)
    url = fields.String(
        required=True, metadata={"description": "for a calendar program to subscribe to; keep it like a key"}
    )
