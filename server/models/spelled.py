"""Columns as their values are spelled in JSON: for lists that are only passed on.

Making a value of each column and spelling it again costs several times what reading the text does.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Date,
    Dialect,
    Float,
    Integer,
    LargeBinary,
    String,
    Text,
    Uuid,
    cast,
    type_coerce,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from server import json_text
from server.models.types import Coded, Instant, dashed

# From what a driver gives to JSON text; None: what it gives is that.
Spelling = Callable[[Any], str]
# So many texts are kept with their quotes: zones and codes, of which there are a few hundred.
_TEXTS = 2000
_FLAGS = {None: "null", False: "false", True: "true"}
# What SQLite's text of a moment ends with in a whole second; nobody spells that.
_WHOLE = ".000000"


def spelled(column: Any) -> ColumnElement[Any]:
    """Return ``column`` of a table read as JSON text. What is sealed stays so: nobody can spell it yet."""
    kind = column.type
    if isinstance(kind, LargeBinary):
        found: ColumnElement[Any] = column
        return found
    assert not (isinstance(kind, JSON) and column.nullable), "what is passed on as it is can't be missing"
    # An id or a JSON value is text before any driver has made something else of it.
    asked: ColumnElement[Any] = cast(column, Text) if isinstance(kind, JSON | Uuid) else column
    return type_coerce(asked, Spelled(kind))


def value_of(text: str) -> Any:
    """Return the value of a spelled JSON column."""
    return json_text.quickly(text)


class Spelled(TypeDecorator[str]):
    """The JSON text of a column of type ``of``."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def result_processor(self, dialect: Dialect, coltype: object) -> Spelling | None:
        """Return what spells what the driver gives; TypeError for a type that nobody has spelled yet."""
        spellings = _SQLITE if dialect.name == "sqlite" else _POSTGRESQL
        for kind, spelling in spellings.items():
            if isinstance(self.of, kind):
                return spelling
        raise TypeError(f"no spelling of {self.of!r}")


@lru_cache(_TEXTS)
def _text(value: str | None) -> str:
    return json_text.dumped(value)


def _number(value: float | None) -> str:
    return "null" if value is None else repr(value)


def _id_of_digits(value: str | None) -> str:
    return "null" if value is None else f'"{dashed(value)}"'


def _safe(value: str | None) -> str:
    """Spell a text that needs no escape: the database's own of an id or a day."""
    return "null" if value is None else f'"{value}"'


def _day(value: date | None) -> str:
    return "null" if value is None else f'"{value.isoformat()}"'


def _moment_of_text(value: str | None) -> str:
    if value is None:
        return "null"
    time = value[11:19] if value.endswith(_WHOLE) else value[11:]
    return f'"{value[:10]}T{time}+00:00"'


def _moment(value: datetime | None) -> str:
    return "null" if value is None else f'"{value.astimezone(UTC).isoformat()}"'


# In this order: a code and a moment are columns of other types to the library.
_BOTH: dict[type[TypeEngine[Any]], Spelling | None] = {
    JSON: None,
    Coded: _text,
    Boolean: _FLAGS.__getitem__,
    Integer: _number,
    Float: _number,
    String: _text,
}
_SQLITE = {Instant: _moment_of_text, Date: _safe, Uuid: _id_of_digits, **_BOTH}
_POSTGRESQL = {Instant: _moment, Date: _day, Uuid: _safe, **_BOTH}
