"""A set of the vocabulary's codes on the wire."""

from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate

from schemas.fields import Code


class Codes(fields.List[Any]):
    """A list of codes, each at most once; loads the enumeration's members in the order of their names."""

    def __init__(self, codes: type[StrEnum], **kwargs: Any) -> None:
        metadata = {"uniqueItems": True, **kwargs.pop("metadata", {})}
        super().__init__(Code(codes), validate=validate.Length(max=len(codes)), metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any | None]:
        found: list[Any | None] = super()._deserialize(value, attr, data, **kwargs)
        if len(set(found)) < len(found):
            raise ValidationError("Must name each at most once.")
        return sorted(found, key=str)
