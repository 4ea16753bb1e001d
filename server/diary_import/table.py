"""Read a CSV file as people's software writes it: any common separator, with or without a byte order mark."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LARGEST_BYTES = 20_000_000
MOST_ROWS = 200_000
_END = re.compile("[\r\n]")
_SEPARATORS = (",", ";", "\t", "|")
# How a zip begins (a workbook is one), and a workbook of before.
_PACKED = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# Encodings in which nearly all bytes are some letter: what is read in the wrong one is garbled, unnoticed.
_TAKE_ANYTHING = ("cp1252", "latin-1")


class TableError(ValueError):
    """The file as a whole can't be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the line of the file it ends on, and its cells by column."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that can't be taken. ``reasons`` name columns, never what is in them.

    ``cells`` are those of a row with too many or too few fields, as far as they have a column;
    ``said`` is what of a row could be read all the same (items, side_effects, safety), ``stamp`` what stands
    where its day and its time should; ``is_dated``: the day can be read.
    """

    line: int
    reasons: tuple[str, ...]
    said: Mapping[str, object] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)
    stamp: str = ""
    is_dated: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, and those that don't have the header's number of fields."""

    header: tuple[str, ...]
    records: tuple[Record, ...]
    refusals: tuple[Refusal, ...]


def read_table(data: bytes, encoding: str = "utf-8") -> Table:
    """Return the rows of a CSV file with a header. TableError when it can't be read as one."""
    text = _text(data, encoding)
    # Only to tell the separator: a name of several lines is cut here. An end of a line may be a CR alone.
    header_line = _END.split(text.lstrip("\r\n"), maxsplit=1)[0]
    separator = max(_SEPARATORS, key=lambda mark: len(next(csv.reader([header_line], delimiter=mark), [])))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return _read(rows)
    except csv.Error as error:
        raise TableError(f"line {rows.line_num}: {error}") from None


def _text(data: bytes, encoding: str) -> str:
    if len(data) > LARGEST_BYTES:
        raise TableError(f"is larger than {LARGEST_BYTES // 1_000_000} MB")
    if data.startswith(_PACKED):
        raise TableError("is a workbook or an archive, no text: save its sheet as CSV, or unpack it")
    try:
        text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeError:
        raise TableError(f"is not {encoding} text; say its encoding in the map") from None
    if encoding in _TAKE_ANYTHING and _is_utf8(data):
        raise TableError(f"is utf-8 text, and would be read as {encoding}; say its encoding in the map")
    if "\0" in text:
        raise TableError("holds NUL characters; it is not a CSV file, or its encoding is another one")
    return text


def _is_utf8(data: bytes) -> bool:
    """Return whether what is not ASCII in ``data`` is UTF-8, which by chance nothing else is."""
    try:
        return not data.isascii() and bool(data.decode("utf-8"))
    except UnicodeError:
        return False


def _read(rows: Any) -> Table:
    header = tuple(name.strip() for name in next((row for row in rows if row), []))
    if not header:
        raise TableError("is empty")
    # Where somebody once clicked, a spreadsheet writes columns that nobody named and rows of nothing.
    twice = [name for name, count in Counter(header).items() if name and count > 1]
    if twice:
        raise TableError(f"has a column twice: {', '.join(twice)}")
    records: list[Record] = []
    refusals: list[Refusal] = []
    for row in rows:
        if len(records) + len(refusals) >= MOST_ROWS:
            raise TableError(f"has more than {MOST_ROWS} rows")
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            reason = f"has {len(row)} fields, the header has {len(header)}"
            cells = dict.fromkeys(header, "") | dict(zip(header, row, strict=False))
            refusals.append(Refusal(rows.line_num, (reason,), cells=cells))
        else:
            records.append(Record(rows.line_num, dict(zip(header, row, strict=True))))
    return Table(header, tuple(records), tuple(refusals))
