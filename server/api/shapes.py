"""Joining a stored row with what belongs beside it on the wire."""

from functools import cache
from typing import Any

from marshmallow import Schema


def joined(row: object, shape: type[Schema], **more: Any) -> dict[str, Any]:
    """Return the members of ``row`` that ``shape`` names, and ``more`` beside them."""
    # What was loaded lies here; asking the mapped class for each costs several times that.
    held = getattr(row, "__dict__", {})
    names = (name for name in _names(shape) if name not in more)
    return {name: held[name] if name in held else getattr(row, name) for name in names} | more


@cache
def _names(shape: type[Schema]) -> tuple[str, ...]:
    # Making a schema copies all its fields: for a page of entries that cost more than all the rest.
    return tuple(shape().fields)
