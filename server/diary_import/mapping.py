"""Turn rows into what entries say: rescaled to our items, turned round where needed, fractions kept."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from server.clinical.side_effect_terms import SEVERITY_HIGH, SEVERITY_LOW
from server.clinical.vocabulary import ITEMS
from server.diary_import.diary_map import DiaryMap, Grades, Scale
from server.diary_import.table import Record, Refusal, Table, TableError

N = TypeVar("N", int, float)
NOTE_LONGEST = 10_000
# Enough to tell any two answers apart, and the same text on every machine.
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One row that can be taken: its line, the moment it speaks of (aware), and what the entry says."""

    line: int
    at: datetime
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mapped:
    """What became of a file: rows in the order of their moments, and refusals in that of their lines."""

    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...]


class _Unusable(ValueError):
    """A cell can't be taken; the message says why, without its content."""


def map_table(table: Table, diary_map: DiaryMap, zone: str, now: datetime) -> Mapped:
    """Map every row; ``zone`` is where the patient was, ``now`` the moment (aware) nothing may lie after.

    TableError when columns of the map are not in the file.
    """
    absent = [name for name in diary_map.columns() if name not in table.header]
    if absent:
        raise TableError(f"has no column {', '.join(absent)} (it has {', '.join(table.header)})")
    rows, refusals = [], list(table.refusals)
    for record in table.records:
        made = _Mapper(record, diary_map, zone).row(now)
        if isinstance(made, Row):
            rows.append(made)
        else:
            refusals.append(made)
    rows.sort(key=lambda row: row.at)
    refusals.sort(key=lambda refusal: refusal.line)
    return Mapped(tuple(rows), tuple(refusals))


class _Mapper:
    """One row on its way; collects every reason against it."""

    def __init__(self, record: Record, diary_map: DiaryMap, zone: str) -> None:
        self._record, self._map, self._zone = record, diary_map, zone
        self._reasons: list[str] = []

    def row(self, now: datetime) -> Row | Refusal:
        """Return the row, or why it can't be taken."""
        at = self._at(now)
        items = dict(self._numbers())
        side_effects = dict(self._grades())
        safety, note = self._safety(), self._note()
        needed = (key for key in self._map.require if self._said(self._map.items[key].column) is None)
        self._reasons += [f"says nothing of {key}" for key in needed]
        if not (items or side_effects or safety or note or self._reasons):
            self._reasons.append("says nothing in any column of the map")
        if self._reasons or at is None:
            return Refusal(self._record.line, tuple(self._reasons))
        content = {
            "occurred_at": at,
            "zone": self._zone,
            "items": items,
            "side_effects": side_effects,
            "safety": safety,
            "medication": {},
            "tags": [],
            "note": note,
        }
        return Row(self._record.line, at, content)

    def _at(self, now: datetime) -> datetime | None:
        stamp, clock = self._map.day, self._map.clock
        try:
            day = datetime.strptime(self._record.cells[stamp.column].strip(), stamp.format).date()  # noqa: DTZ007
        except ValueError:
            self._reasons.append(f"column {stamp.column} is not a date like {stamp.format}")
            return None
        time = self._map.default_time
        if clock is not None and (text := self._said(clock.column)):
            try:
                time = datetime.strptime(text, clock.format).time()  # noqa: DTZ007
            except ValueError:
                self._reasons.append(f"column {clock.column} is not a time like {clock.format}")
        if not 1970 < day.year < 9999:
            self._reasons.append("lies before 1971 or at the end of time")
            return None
        at = datetime.combine(day, time, ZoneInfo(self._zone))
        if at.astimezone(UTC) > now:
            self._reasons.append("lies in the future")
        return at

    def _numbers(self) -> Iterator[tuple[str, float]]:
        for key, scale in self._map.items.items():
            yield from self._taken(key, scale.column, partial(self._rescaled, key, scale))

    def _grades(self) -> Iterator[tuple[str, int]]:
        for term, grades in self._map.side_effects.items():
            yield from self._taken(term, grades.column, partial(self._grade, grades))

    def _taken(self, key: str, column: str, read: Callable[[str], N]) -> Iterator[tuple[str, N]]:
        text = self._said(column)
        if text is None:
            return
        try:
            yield key, read(text)
        except _Unusable as problem:
            self._reasons.append(f"column {column} {problem}")

    def _rescaled(self, key: str, scale: Scale, text: str) -> float:
        return rescaled(key, self._number(text), scale)

    def _grade(self, grades: Grades, text: str) -> int:
        if grades.grades:
            if text not in grades.grades:
                raise _Unusable("has a text that the map's grades don't translate")
            return grades.grades[text]
        number = self._number(text)
        if number != int(number) or not SEVERITY_LOW <= number <= SEVERITY_HIGH:
            raise _Unusable(f"is not a whole number {SEVERITY_LOW} to {SEVERITY_HIGH}")
        return int(number)

    def _safety(self) -> str | None:
        asked = self._map.safety
        text = self._said(asked.column) if asked else None
        if asked is None or text is None:
            return None
        if text not in asked.answers:
            self._reasons.append(f"column {asked.column} has a text that the map's answers don't translate")
            return None
        return asked.answers[text]

    def _note(self) -> str | None:
        text = self._said(self._map.note) if self._map.note else None
        if text is None:
            return None
        if len(text) > NOTE_LONGEST or any(ord(c) < 32 and c not in "\t\r\n" for c in text):
            self._reasons.append(f"column {self._map.note} is too long for a note, or not plain text")
            return None
        return text

    def _said(self, column: str) -> str | None:
        text = self._record.cells[column].strip()
        return None if text == "" or text in self._map.missing else text

    def _number(self, text: str) -> float:
        if self._map.decimal == ",":
            text = text.replace(".", "x").replace(",", ".")
        try:
            # float() would also read "1_000", "infinity" and digits of other scripts.
            number = float(text) if text.isascii() and "_" not in text else float("nan")
        except ValueError:
            number = float("nan")
        if not isfinite(number):
            raise _Unusable("is not a number")
        return number


def rescaled(key: str, value: float, scale: Scale) -> float:
    """Return ``value`` of ``scale`` (the source's) on the scale and in the direction of item ``key``."""
    if not scale.low <= value <= scale.high:
        raise _Unusable(f"is outside its scale {scale.low:g} to {scale.high:g}")
    item = ITEMS[key]
    share = (value - scale.low) / (scale.high - scale.low)
    if scale.direction is not None and scale.direction is not item.direction:
        share = 1 - share
    return round(item.low + share * (item.high - item.low), DIGITS)
