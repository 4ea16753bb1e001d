"""Columns whose text is sealed: what lies in the table, and what a service has opened of it."""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import Table

from server import json_text


class Sealed:
    """The opened side of a sealed column: ``note = Sealed("sealed_note")``.

    `services.vault` opens it. Reading it before, or after the column has changed, is a defect and
    raises RuntimeError: a text nobody opened must not look like one that is not there. ``empty`` makes
    what is read where there is none: None by default.
    """

    def __init__(self, column: str, empty: Callable[[], Any] = lambda: None) -> None:
        self.column, self.empty = column, empty

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember the name under which the opened text is read."""
        self.name = name

    def __get__(self, row: Any, owner: type | None = None) -> Any:
        """Return the opened value, what is empty where there is none."""
        if row is None:
            return self
        sealed = getattr(row, self.column)
        if sealed is None:
            return self.empty()
        known = row.__dict__.get(self._slot)
        if known is None or known[0] != sealed:
            raise RuntimeError(f"{type(row).__name__}.{self.name} is sealed and was not opened")
        return known[1]

    def sealed_in(self, row: Any) -> bytes | None:
        """Return what lies in the column."""
        found: bytes | None = getattr(row, self.column)
        return found

    def keep(self, row: Any, value: Any) -> None:
        """Keep the opened ``value`` beside the sealed one it belongs to."""
        row.__dict__[self._slot] = (getattr(row, self.column), value)

    def dumped(self, value: Any) -> str:
        """Return ``value`` as the text that is sealed."""
        assert isinstance(value, str), "a sealed text is text"
        return value

    def loaded(self, text: str) -> Any:
        """Return the value that ``text`` stands for."""
        return text

    @property
    def _slot(self) -> str:
        return f"_opened_{self.name}"


class SealedJson(Sealed):
    """The same for a JSON value."""

    def dumped(self, value: Any) -> str:
        """Return ``value`` as JSON text."""
        return json_text.dumped(value)

    def loaded(self, text: str) -> Any:
        """Return the JSON value that ``text`` holds."""
        return json_text.loaded(text)


@cache
def sealed_columns(table: type) -> tuple[Sealed, ...]:
    """Return the sealed columns of a model."""
    return tuple(found for found in vars(table).values() if isinstance(found, Sealed))


def place_of(table: Table, column: str, key: tuple[Any, ...]) -> str:
    """Return what binds a value to its place: table, column, then the row's key, the clinic first."""
    return f"{table.name}.{column}.{row_of(key)}"


def row_of(key: tuple[Any, ...]) -> str:
    """Return the part of a place that names the row."""
    return ".".join(map(str, key))
