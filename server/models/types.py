"""Column types that behave the same on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, SafeUUID

from sqlalchemy import DateTime, Dialect, String, Text, Uuid
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A moment as aware UTC. SQLite would drop the offset: it is converted before and attached after."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment; store UTC."""
        return _in_utc(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return what makes of a moment what the driver takes: at once for SQLite, as `result_processor`."""
        return _text_of_utc if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """Return what makes aware UTC of what the driver gave: SQLite's text, PostgreSQL's moment.

        At once, not by way of `process_result_value`: it is asked for every moment that is ever read.
        """
        return _utc_of_text if dialect.name == "sqlite" else _utc


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a moment without a zone can't be stored")
    return value.astimezone(UTC)


def _text_of_utc(value: datetime | None) -> str | None:
    # The text that the library's own column type makes, part by part, at several times the cost.
    moment = _in_utc(value)
    return None if moment is None else moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def _utc_of_text(value: str | None) -> datetime | None:
    # Read with its offset, which costs an eighth of attaching it afterwards.
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")


def _utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


class Coded(TypeDecorator[StrEnum]):
    """A code of the vocabulary, stored as its text and read back as the enumeration's member."""

    impl = String
    cache_ok = True

    def __init__(self, codes: type[StrEnum], length: int = 32) -> None:
        super().__init__(length)
        self.codes = codes

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return what makes its text of a code, which is one already; an unknown code raises KeyError.

        At once, not by way of `process_bind_param`: half a dozen are written with every entry.
        """
        texts: dict[str | None, str | None] = {None: None, **{code: code.value for code in self.codes}}
        return texts.__getitem__

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Return what makes the enumeration's member of a text; an unknown code raises KeyError."""
        members: dict[str | None, StrEnum | None] = {None: None, **{code.value: code for code in self.codes}}
        return members.__getitem__


class IdText(TypeDecorator[str]):
    """The text of an id, as `str` would give it: `cast(AuditEvent.id, IdText)`.

    For who writes ids out again: making an id and its text costs three times what reading the text does.
    """

    impl = Text
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str | None] | None:
        """Return what puts in the dashes that SQLite's digits have not; PostgreSQL's text has them."""
        return _dashed if dialect.name == "sqlite" else None


def _dashed(digits: str | None) -> str | None:
    return None if digits is None else dashed(digits)


def dashed(digits: str) -> str:
    """Return the text of an id of which SQLite keeps the ``digits``."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Id(Uuid[UUID]):
    """A UUID, on SQLite read from its digits at once: there the library takes them apart a second time."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return what makes the id of what the driver gave."""
        # PostgreSQL's driver gives ids.
        return _id_of_digits if dialect.name == "sqlite" else None


def _id_of_digits(digits: str | None) -> UUID | None:
    if digits is None:
        return None
    found = object.__new__(UUID)
    _set_number(found, int(digits, 16))
    _set_safety(found, _UNKNOWN)
    return found


# A UUID can't be changed, so its two members are set past it, as it does itself.
_set_number, _set_safety = (vars(UUID)[name].__set__ for name in ("int", "is_safe"))
_UNKNOWN = SafeUUID.unknown
