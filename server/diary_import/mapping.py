"""Turn rows into what entries say: rescaled to our items, turned round where needed, fractions kept."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from functools import partial
from math import isfinite
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from server.clinical.plain_text import mended_lines
from server.clinical.side_effect_terms import SEVERITY_HIGH, SEVERITY_LOW
from server.clinical.vocabulary import ITEMS
from server.diary_import.columns import Columns, columns_of
from server.diary_import.diary_map import DiaryMap, Grades, Scale, Stamp
from server.diary_import.kinds import kind, speaks
from server.diary_import.table import Record, Refusal, Table

N = TypeVar("N", int, float)
NOTE_LONGEST = 10_000
TAG_LONGEST, TAGS_MOST = 40, 20
_HOURS = re.compile(r"(\d{1,2}):([0-5]\d)", re.ASCII)
_MARKED = re.compile(r"-?[0-9]+[.,][0-9]+")
_ORDINAL = re.compile(r"(?<=\d)(st|nd|rd|th)\b")
# Enough to tell any two answers apart, and the same text on every machine.
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One row that can be taken: its line, the moment it speaks of (aware), and what the entry says.

    ``kind`` is that of the reading in a file with a row a reading, else empty.
    """

    line: int
    at: datetime
    content: Mapping[str, Any]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What became of a file: rows in the order of their moments, and refusals in that of their lines.

    ``others`` counts, by kind, rows of which no item or side effect was taken, because the map does
    not speak of their kind; ``unused`` are columns that it does not speak of.
    """

    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...]
    others: Mapping[str, int] = field(default_factory=dict)
    unused: tuple[str, ...] = ()


class _Unusable(ValueError):
    """A cell can't be taken; the message says why, without its content."""


def map_table(table: Table, diary_map: DiaryMap, zone: str, now: datetime) -> Mapped:
    """Map every row; ``zone`` is where the patient was, ``now`` the moment (aware) nothing may lie after.

    TableError when columns of the map are not in the file.
    """
    columns = columns_of(diary_map, table.header)
    rows, refusals = [], [_read_anyway(refusal, diary_map, columns, zone) for refusal in table.refusals]
    others: Counter[str] = Counter()
    for record in table.records:
        mapper = _Mapper(record, diary_map, columns, zone)
        made = mapper.row(now)
        if isinstance(made, Row):
            rows.append(made)
        elif made is not None:
            refusals.append(made)
        others.update(mapper.left_out)
    rows.sort(key=lambda row: row.at)
    refusals.sort(key=lambda refusal: refusal.line)
    return Mapped(tuple(rows), tuple(refusals), dict(others.most_common()), columns.unused)


def _read_anyway(refusal: Refusal, diary_map: DiaryMap, columns: Columns, zone: str) -> Refusal:
    """Return ``refusal`` with what can be read of a row whose fields don't fit the header."""
    mapper = _Mapper(Record(refusal.line, dict(refusal.cells)), diary_map, columns, zone)
    return mapper.refused(refusal.reasons, mapper.said())


class _Mapper:
    """One row on its way; collects every reason against it, and its kind where nothing speaks of it."""

    def __init__(self, record: Record, diary_map: DiaryMap, columns: Columns, zone: str) -> None:
        self._record, self._map, self._columns, self._zone = record, diary_map, columns.named, zone
        self._reasons: list[str] = []
        self.left_out: list[str] = []

    def said(self) -> dict[str, object]:
        """Return what bears on danger, whatever speaks against the row."""
        return {
            "items": dict(self._numbers()),
            "side_effects": dict(self._grades()),
            "safety": self._safety(),
        }

    def refused(self, reasons: tuple[str, ...], said: Mapping[str, object]) -> Refusal:
        """Return the row as one that can't be taken."""
        day, clock = self._cell(self._map.day.column), self._map.clock
        stamp = f"{day} {self._cell(clock.column) if clock else ''}".strip()
        is_dated = _read(self._map.day, day) is not None
        return Refusal(self._record.line, reasons, said, stamp=stamp, is_dated=is_dated)

    def row(self, now: datetime) -> Row | Refusal | None:
        """Return the row, or why it can't be taken; None for a row of another kind."""
        at = self._at(now)
        items = dict(self._numbers())
        side_effects = dict(self._grades())
        safety, note, tags = self._safety(), self._note(), self._tags()
        needed = (key for key in self._map.require if self._said(self._map.items[key].column) is None)
        self._reasons += [f"says nothing of {key}" for key in needed]
        says_nothing = not (items or side_effects or safety or note or self._reasons)
        wheres = self._map.wheres()
        reading = kind(wheres, self._cell)
        if wheres and not (items or side_effects or self._reasons):
            self.left_out.append(reading)
        if says_nothing and wheres:
            return None
        if says_nothing:
            self._reasons.append("says nothing in any column of the map")
        if self._reasons or at is None:
            said: dict[str, object] = {"items": items, "side_effects": side_effects, "safety": safety}
            return self.refused(tuple(self._reasons), said)
        content = {
            "occurred_at": at,
            "zone": self._zone,
            "items": items,
            "side_effects": side_effects,
            "safety": safety,
            "medication": {},
            "tags": tags,
            "note": note,
        }
        return Row(self._record.line, at, content, reading)

    def _at(self, now: datetime) -> datetime | None:
        stamp, clock = self._map.day, self._map.clock
        written = _read(stamp, self._cell(stamp.column))
        if written is None:
            self._reasons.append(
                f"{self._named(stamp.column)} is not a date like {' or '.join(stamp.formats)}"
            )
            return None
        day = written.date()
        time = self._map.default_time
        if clock is not None and (text := self._said(clock.column)):
            found = clock.words.get(text.lower()) or _time(_read(clock, text))
            if found is None:
                formats = " or ".join(clock.formats)
                self._reasons.append(f"{self._named(clock.column)} is not a time like {formats}")
            time = found or time
        if not 1970 < day.year < 9999:
            self._reasons.append("lies before 1971 or at the end of time")
            return None
        at = datetime.combine(day, time, ZoneInfo(self._zone))
        if at.astimezone(UTC) > now:
            self._reasons.append("lies in the future")
        return at

    def _numbers(self) -> Iterator[tuple[str, float]]:
        for key, scale in self._map.items.items():
            if speaks(scale.where, self._cell):
                yield from self._taken(key, scale.column, partial(self._rescaled, key, scale))

    def _grades(self) -> Iterator[tuple[str, int]]:
        for term, grades in self._map.side_effects.items():
            if speaks(grades.where, self._cell):
                yield from self._taken(term, grades.column, partial(self._grade, grades))

    def _taken(self, key: str, column: str, read: Callable[[str], N]) -> Iterator[tuple[str, N]]:
        text = self._said(column)
        if text is None:
            return
        try:
            yield key, read(text)
        except _Unusable as problem:
            self._reasons.append(f"{self._named(column)} {problem}")

    def _rescaled(self, key: str, scale: Scale, text: str) -> float:
        word = scale.words.get(text.lower())
        if word is None and ITEMS[key].unit == "hours" and (clock := _HOURS.fullmatch(text)):
            word = int(clock[1]) + int(clock[2]) / 60
        if word is None:
            unread = "has a text that the map's words don't translate" if scale.words else "is not a number"
            word = self._number(text, unread)
        return rescaled(key, word, scale)

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
        answers = {said.casefold(): answer for said, answer in asked.answers.items()}
        if text.casefold() not in answers:
            self._reasons.append(
                f"{self._named(asked.column)} has a text that the map's answers don't translate"
            )
            return None
        return answers[text.casefold()]

    def _note(self) -> str | None:
        text = "\n".join(said for column in self._map.note if (said := self._said(column)))
        if not text:
            return None
        text = mended_lines(text)  # as a phone's note is kept: its correction sends it back
        if len(text) > NOTE_LONGEST:
            self._reasons.append(f"column {' or '.join(self._map.note)} is too long for a note")
            return None
        return text or None

    def _tags(self) -> list[str]:
        """Return the tags, as many and as long as an entry takes: a long list must not cost the mood."""
        wanted = self._map.tags
        text = self._said(wanted.column) if wanted else None
        if wanted is None or text is None:
            return []
        parts = (" ".join(part.split()) for part in text.split(wanted.separator))
        plain = dict.fromkeys(part[:TAG_LONGEST].strip() for part in parts if part.isprintable())
        return [tag for tag in plain if tag][:TAGS_MOST]

    def _said(self, column: str) -> str | None:
        text = self._cell(column)
        return None if text == "" or text in self._map.missing else text

    def _cell(self, column: str) -> str:
        name = self._columns.get(column)
        return "" if name is None else self._record.cells[name].strip()

    def _named(self, column: str) -> str:
        return f"column {self._columns.get(column, column)}"

    def _number(self, said: str, unread: str = "is not a number") -> float:
        text = said
        if self._map.decimal == ",":
            text = text.replace(".", "x").replace(",", ".")
        try:
            # float() would also read "1_000", "infinity" and digits of other scripts.
            number = float(text) if text.isascii() and "_" not in text else float("nan")
        except ValueError:
            number = float("nan")
        if not isfinite(number):
            has_mark = _MARKED.fullmatch(said) is not None
            raise _Unusable("has another decimal mark than the map's `decimal`" if has_mark else unread)
        return number


def _read(stamp: Stamp, text: str) -> datetime | None:
    """Return the wall clock's moment that ``text`` writes, in the first format that fits."""
    plain = _ORDINAL.sub("", text) if stamp.ordinal else text
    for pattern in stamp.formats:
        try:
            return datetime.strptime(plain, pattern)  # noqa: DTZ007
        except ValueError:
            continue
    return None


def _time(moment: datetime | None) -> time | None:
    return None if moment is None else moment.time()


def rescaled(key: str, value: float, scale: Scale) -> float:
    """Return ``value`` of ``scale`` (the source's) on the scale and in the direction of item ``key``."""
    if not scale.low <= value <= scale.high:
        raise _Unusable(f"is outside its scale {scale.low:g} to {scale.high:g}")
    item = ITEMS[key]
    share = (value - scale.low) / (scale.high - scale.low)
    if scale.direction is not None and scale.direction is not item.direction:
        share = 1 - share
    return round(item.low + share * (item.high - item.low), DIGITS)
