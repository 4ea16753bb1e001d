"""Fields that only stand in a query string, where everything is text."""

import re
from typing import Any

from marshmallow import ValidationError, fields, validate

_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_STATE = re.compile("[0-9]{1,6}", re.ASCII)
_FLAGS = {"true": True, "false": False}


class QueryWhole(fields.Integer):
    """A whole number in a query string: digits and nothing else."""

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(low, high), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, str) or not _WHOLE.fullmatch(value):
            raise ValidationError("Must be a whole number.")
        return int(value)


class QueryState(fields.Integer):
    """A gateway's own number for a state: digits and nothing else."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(0, 999_999), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, str) or not _STATE.fullmatch(value):
            raise ValidationError("Must be a whole number.")
        return int(value)


class QueryFlag(fields.Boolean):
    """`true` or `false`, nothing that looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value not in _FLAGS:
            raise ValidationError("Must be true or false.")
        return _FLAGS[value]
