"""Joining a stored row with what belongs beside it on the wire."""

from typing import Any

from marshmallow import Schema


def joined(row: object, shape: type[Schema], **more: Any) -> dict[str, Any]:
    """Return the members of ``row`` that ``shape`` names, and ``more`` beside them."""
    names = [name for name in shape().fields if name not in more]
    return {name: getattr(row, name) for name in names} | more
