"""Rows as CSV, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from flask import Response, request

CSV = "text/csv"
# What a spreadsheet would take for a formula or a way to one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def wants_csv() -> bool:
    """Return whether the client prefers CSV to JSON, which is the default."""
    return request.accept_mimetypes.best_match(["application/json", CSV]) == CSV


def csv_answer(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], name: str) -> Response:
    """Return ``rows`` as a CSV file (RFC 4180, UTF-8) called ``name``; lists are joined by blanks."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    answer = Response(out.getvalue(), content_type=f"{CSV}; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.vary.add("Accept")
    return answer


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield ``rows`` as lines of a CSV file, for what is too long to be held at once."""
    yield _csv_line(columns)
    for row in rows:
        yield _csv_line([_cell(row[column]) for column in columns])


def _csv_line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    is_number = isinstance(value, int | float)
    return f"'{text}" if text.startswith(_FORMULA) and not is_number else text
