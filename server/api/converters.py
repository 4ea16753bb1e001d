"""Path parameters of our own."""

import re

from werkzeug.routing import BaseConverter, UUIDConverter, ValidationError

from schemas.spelling import UUID7
from server.clinical import week as weeks
from server.clinical.week import Week


class Uuid7Converter(UUIDConverter):
    """A UUIDv7 in lower case; anything else is not found."""

    regex = UUID7
    pattern = re.compile(regex)


class WeekConverter(BaseConverter):
    """A civil week, `2026-W10`, or `current`, which is None; anything else is not found."""

    regex = r"[0-9]{4}-W[0-9]{2}|current"

    def to_python(self, value: str) -> Week | None:
        """Return the week, None for the newest one that is over."""
        if value == "current":
            return None
        try:
            return weeks.named(value)
        except ValueError:
            raise ValidationError from None
