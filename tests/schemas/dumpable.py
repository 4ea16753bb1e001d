"""Objects that schemas are asked to dump, drawn by chance: what fields are for, and what they aren't."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from marshmallow import Schema, fields

from schemas.base import Answer
from schemas.fields import Code


class Colour(StrEnum):
    RED = "red"


class Row(Mapping[str, Any]):
    """What is found under its name, and is no dict."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = members

    def __getitem__(self, name: str) -> Any:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


_ZONES = (UTC, None, ZoneInfo("Europe/Oslo"), timezone(timedelta(hours=-3)))
_ODD: tuple[Any, ...] = (None, True, 3, 2.5, "x", "", Colour.RED, [], {}, b"y", time(7, 5), date(1999, 1, 2))
_SHAPES = (dict, Row, lambda members: SimpleNamespace(**members))


def answers(kind: type[Schema] = Answer) -> Iterator[type[Schema]]:
    """Yield every schema that answers are made of."""
    for one in kind.__subclasses__():
        yield one
        yield from answers(one)


class Draw:
    """Draws objects; ``odd``: how often a value is of a kind that its field is not for."""

    def __init__(self, seed: int, odd: float = 0.0) -> None:
        self._random, self._odd = Random(seed), odd

    def object(self, schema: Schema, depth: int = 0) -> Any:
        """Return something to dump by ``schema``, as a dict, by its attributes, or as a mapping."""
        drawn = {
            field.attribute or name: self._value(field, depth) for name, field in schema.dump_fields.items()
        }
        left = {name: value for name, value in drawn.items() if not self._chance(self._odd)}
        return self._random.choice(_SHAPES)(left)

    def _value(self, field: fields.Field[Any], depth: int) -> Any:
        if self._chance(0.1):
            return None
        if self._chance(self._odd):
            return self._random.choice(_ODD)
        return self._made(field, depth)

    def _made(self, field: fields.Field[Any], depth: int) -> Any:
        if isinstance(field, fields.Nested):
            many = field.many or field.schema.many
            each = [self.object(field.schema, depth + 1) for _ in range(2 if depth < 3 else 0)]
            return each if many else self.object(field.schema, depth + 1) if depth < 3 else None
        if isinstance(field, fields.List):
            return [self._value(field.inner, depth) for _ in range(self._random.choice((0, 2)))]
        if isinstance(field, fields.Dict):
            inner = field.value_field or fields.String()
            return {key: self._value(inner, depth) for key in self._random.sample(["a", Colour.RED, "c"], 2)}
        return self._plain(field)

    def _plain(self, field: fields.Field[Any]) -> Any:
        if isinstance(field, Code):
            return self._random.choice([*field.codes, *map(str, field.codes)])
        for kind, make in _PLAIN.items():
            if isinstance(field, kind):
                return make(self._random)
        return self._random.choice(_ODD)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share


def _moment(random: Random) -> datetime:
    microsecond = random.choice((0, 5, 250_000, 999_999))
    year = random.choice((1, 999, 1970, 2026, 9998))
    return datetime(year, 5, 6, 12, 30, 59, microsecond, tzinfo=random.choice(_ZONES))


# In this order: a moment is a kind of DateTime, and so is a day.
_PLAIN: dict[type[fields.Field[Any]], Any] = {
    fields.UUID: lambda random: UUID(int=random.getrandbits(128)),
    fields.Date: lambda random: date(random.choice((1, 999, 2026)), 5, 6),
    fields.DateTime: _moment,
    fields.Boolean: lambda random: random.random() < 0.5,
    fields.Integer: lambda random: random.choice((0, -1, 7, 2**53, 3.0)),
    fields.Float: lambda random: random.choice((0, 7, -0.0, 0.1, 1e16, 1e-7, float("nan"), 2**53)),
    fields.String: lambda random: random.choice(("", 'ø\u2028"\\\n', "plain", Colour.RED, b"bytes")),
}
