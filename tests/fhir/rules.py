"""What no schema says and every reader expects: an end comes after its start, and a day exists."""

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from tests.fhir.definitions import Resource

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(T.*)?", re.ASCII)


def rule_faults(resource: Resource) -> list[str]:
    """Return what is against the rules, each with where it is."""
    return list(_faults(resource, str(resource.get("resourceType"))))


def _faults(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        start, end = _moment(value.get("start"), False), _moment(value.get("end"), True)
        if start and end and end < start:
            yield f"{path}: the end is before the start"
        for key, member in value.items():
            yield from _faults(member, f"{path}.{key}")
    elif isinstance(value, list):
        for member in value:
            yield from _faults(member, path)
    elif isinstance(value, str) and (day := _DAY.fullmatch(value)) and not _exists(*day.group(1, 2, 3)):
        yield f"{path}: no such day"


def _exists(year: str, month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= calendar.monthrange(int(year), int(month))[1]


def _moment(raw: Any, is_end: bool) -> datetime | None:
    """Read a FHIR dateTime; a day is its first moment, or its last one. Less than a day is not judged."""
    if not isinstance(raw, str) or not _DAY.fullmatch(raw):
        return None
    try:
        if len(raw) == len("2026-01-01"):
            day = date.fromisoformat(raw)
            return datetime(day.year, day.month, day.day, 23 if is_end else 0, tzinfo=UTC)
        found = datetime.fromisoformat(raw)
    except ValueError:
        return None
    return found if found.tzinfo else None
