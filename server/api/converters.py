"""Path parameters of our own."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from werkzeug.routing import BaseConverter, UUIDConverter, ValidationError

from schemas.spelling import UUID7
from server.clinical import week as weeks
from server.clinical.week import Week


class OtherId(str):
    """An id in a path that is none of ours: of another version, or spelled in another way."""

    __slots__ = ()
    REFUSAL = "An id that a phone makes is a UUIDv7 in lower case."


class Uuid7Converter(UUIDConverter):
    """A UUIDv7 in lower case, or an `OtherId`: what comes under one may say that somebody is in danger."""

    regex = "[^/]+"
    _ours = re.compile(UUID7)

    def to_python(self, value: str) -> Any:
        """Return the UUID, or the `OtherId`."""
        return UUID(value) if self._ours.fullmatch(value) else OtherId(value)


def other_id(ids: Mapping[str, object]) -> str | None:
    """Return the name of the first of a path's ``ids`` that is an `OtherId`."""
    return next((name for name, value in ids.items() if isinstance(value, OtherId)), None)


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
