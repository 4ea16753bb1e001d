"""One table of a data file, read field by field: typed, bounded, nothing missing, nothing left over."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from math import isfinite
from typing import TypeVar

from server.clinical.instruments.instrument import InstrumentError

E = TypeVar("E", bound=StrEnum)
MAX_TEXT = 2000


class Fields:
    """Reads ``values``, the table at ``path`` of ``file``. Each reader raises `InstrumentError`."""

    def __init__(self, file: str, values: Mapping[str, object], path: str = "") -> None:
        self.file, self.path = file, path
        self._left = dict(values)

    def error(self, name: str, problem: str) -> InstrumentError:
        """Return the complaint about field ``name`` of this table."""
        return InstrumentError(self.file, f"{self.path}{name}", problem)

    def finish(self) -> None:
        """Refuse the fields nobody read: a misspelled rule would be silently lost."""
        for name in self._left:
            raise self.error(name, "is not a known field")

    def has(self, name: str) -> bool:
        """Return whether the field is there and not read yet."""
        return name in self._left

    def maybe_text(self, name: str) -> str | None:
        """Return a text of 1..2000 characters, or None where it is absent."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
            raise self.error(name, f"must be a text of 1..{MAX_TEXT} characters")
        return value

    def text(self, name: str) -> str:
        """Return a text that must be there."""
        value = self.maybe_text(name)
        if value is None:
            raise self.error(name, "is missing")
        return value

    def maybe_number(self, name: str) -> float | None:
        """Return a finite number, or None where it is absent."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        # bool is an int in Python; true is not a score.
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.error(name, "must be a number")
        return value

    def number(self, name: str) -> float:
        """Return a number that must be there."""
        value = self.maybe_number(name)
        if value is None:
            raise self.error(name, "is missing")
        return value

    def whole(self, name: str, default: int | None = None) -> int:
        """Return a whole number, or ``default`` where it is absent."""
        if default is not None and not self.has(name):
            return default
        value = self.number(name)
        if not isinstance(value, int):
            raise self.error(name, "must be a whole number")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false, or ``default`` where it is absent."""
        value = self._left.pop(name, default)
        if not isinstance(value, bool):
            raise self.error(name, "must be true or false")
        return value

    def one_of(self, name: str, words: type[E], default: E | None = None) -> E:
        """Return a word of the enumeration ``words``, or ``default`` where it is absent."""
        if default is not None and not self.has(name):
            return default
        value = self.text(name)
        if value not in list(words):
            raise self.error(name, f"must be one of {', '.join(words)}")
        return words(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, empty where it is absent."""
        value = self._left.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.error(name, "must be a list of texts")
        return tuple(value)

    def groups(self, name: str) -> tuple[tuple[str, ...], ...]:
        """Return a list of lists of texts, empty where it is absent."""
        value = self._left.pop(name, [])
        if not isinstance(value, list):
            raise self.error(name, "must be a list of lists")
        inner = Fields(self.file, {f"{n}": group for n, group in enumerate(value, 1)}, f"{self.path}{name}.")
        return tuple(inner.texts(f"{n}") for n in range(1, len(value) + 1))

    def table(self, name: str) -> "Fields":
        """Return the table at ``name``, an empty one where it is absent."""
        value = self._left.pop(name, {})
        if not isinstance(value, Mapping):
            raise self.error(name, "must be a table")
        return Fields(self.file, value, f"{self.path}{name}.")

    def tables(self, name: str) -> Iterator["Fields"]:
        """Yield the tables of the list at ``name``, numbered from 1 in complaints."""
        value = self._left.pop(name, [])
        if not isinstance(value, list):
            raise self.error(name, "must be a list of tables")
        for number, table in enumerate(value, 1):
            if not isinstance(table, Mapping):
                raise self.error(f"{name}.{number}", "must be a table")
            yield Fields(self.file, table, f"{self.path}{name}.{number}.")

    def peek_text(self, name: str) -> str:
        """Return a text that must be there, and leave it to be read again."""
        return Fields(self.file, self._left, self.path).text(name)

    def names(self) -> tuple[str, ...]:
        """Return the names of the fields nobody read yet."""
        return tuple(self._left)
