"""Column types that behave the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Dialect, String
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A moment as aware UTC. SQLite would drop the offset: it is converted before and attached after."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone can't be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return aware UTC whatever the driver gave."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Coded(TypeDecorator[StrEnum]):
    """A code of the vocabulary, stored as its text and read back as the enumeration's member."""

    impl = String
    cache_ok = True

    def __init__(self, codes: type[StrEnum], length: int = 32) -> None:
        super().__init__(length)
        self.codes = codes

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Store the code's text; an unknown code raises ValueError."""
        return None if value is None else self.codes(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the member of the enumeration."""
        return None if value is None else self.codes(value)
