"""What the shapes of an export's file are made of."""

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields


class Part(Schema):
    """A part of the file: what is unknown in it is refused."""

    class Meta:
        unknown = RAISE


class Number(fields.Float):
    """A JSON number; never a text or true."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("Must be a number.")
        return super()._deserialize(value, attr, data, **kwargs)


class Truth(fields.Boolean):
    """A JSON true or false; nothing that only means it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value
