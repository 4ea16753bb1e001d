"""FHIR's search parameters: dates with prefixes, tokens, references, lists of codes."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from marshmallow import ValidationError, fields

from schemas.base import Body
from schemas.fields import Text
from schemas.query import QueryWhole
from schemas.spelling import DAY_OF_MONTH, HOUR, MONTH, SIXTY, UUID, Fully
from schemas.spelling import YEAR_OF_DAY as YEAR
from server.clinical.plain_text import BARRED

PAGE, LARGEST_PAGE = 50, 200
LONGEST = 2000
PLACE = "where the page before ended, from its link `next`"
FORMATS = ("json", "application/fhir+json", "application/json")
LINES = ("application/fhir+ndjson", "application/ndjson", "ndjson")
_TEXT = Text(longest=LONGEST)
_CODE = rf"\|*[^,|{BARRED}][^,{BARRED}]*"
_TOKENS = f"^{_CODE}(,{_CODE})*$"
_DATE = re.compile(
    f"^(eq|ge|le|gt|lt)?{YEAR}(?:-{MONTH}(?:-{DAY_OF_MONTH}"
    rf"(?:T{HOUR}:({SIXTY})(?::({SIXTY})(\.[0-9]{{1,6}})?)?(Z|[+-]{HOUR}:{SIXTY})?)?)?)?$"
)
_PATIENT = re.compile(f"^(Patient/)?({UUID})$")
_DATE_RULE = "Must be a date or time of FHIR, with eq, ge, le, gt or lt before it or nothing."
_INTEGER = 10**6


@dataclass(frozen=True, slots=True)
class Bound:
    """From ``since`` (included) to ``before`` (not); None: no bound. Naive: by the patient's own clock."""

    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A code, of any system where ``system`` is None, of none where it is empty. ``code`` None: any."""

    system: str | None
    code: str | None


class Moments(fields.Field[Bound]):
    """A date or time as far as it is said, with a prefix: `2026`, `ge2026-03`, `lt2026-03-02T10:00:00Z`."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {
            "type": "string",
            "format": "fhir-date",
            "pattern": _DATE.pattern,
            "example": "ge2026-03-01",
        }
        metadata = {**metadata, **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Bound:
        # In a query a plus sign is a blank: whoever forgot to encode it meant an offset.
        found = _DATE.fullmatch(str(value).replace(" ", "+"))
        try:
            return _bound(found) if found else _refuse()
        except (ValueError, OverflowError):
            return _refuse()


class Tokens(fields.Field[Sequence[Token]]):
    """Codes, any of which fits: `44261-6`, `http://loinc.org|44261-6`, separated by commas."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {
            "type": "string",
            "pattern": _TOKENS,
            "maxLength": LONGEST,
            "example": "http://loinc.org|44261-6",
        }
        metadata = {**metadata, **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Sequence[Token]:
        parts = _TEXT.deserialize(str(value)).split(",")
        if not all(part.strip("|") for part in parts):
            raise ValidationError("Must be codes, separated by commas.")
        return tuple(_token(part) for part in parts)


class PatientReference(fields.Field[uuid.UUID]):
    """A patient: `Patient/{id}` or the id alone."""

    def __init__(self, **kwargs: Any) -> None:
        description = "`Patient/{id}`, or the id alone"
        metadata = {"type": "string", "pattern": _PATIENT.pattern, "description": description}
        super().__init__(metadata={**metadata, **kwargs.pop("metadata", {})}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> uuid.UUID:
        found = _PATIENT.fullmatch(str(value))
        if found is None:
            raise ValidationError("Must be Patient/ with its id, or the id.")
        return uuid.UUID(found[2])


class OneOf(fields.Field[Sequence[str]]):
    """Words of a list, any of which fits, separated by commas."""

    def __init__(self, words: Sequence[str], **kwargs: Any) -> None:
        one = f"({'|'.join(words)})"
        metadata = {"type": "string", "pattern": f"^{one}(,{one})*$", "example": words[0]}
        super().__init__(metadata=metadata, **kwargs)
        self.words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Sequence[str]:
        found = tuple(str(value).split(","))
        if not set(found) <= set(self.words):
            raise ValidationError(f"Must be of {', '.join(self.words)}.")
        return found


def format_of(*kinds: str) -> fields.String:
    metadata = {"enum": list(kinds), "description": "`json`, or a kind that `Accept` could name"}
    return fields.String(data_key="_format", metadata=metadata)


class Answer(Body):
    """What every question may say about its answer."""

    format = format_of(*FORMATS)


class Search(Answer):
    """What every search takes: how many at the most, and where the page before ended."""

    count = QueryWhole(
        low=1,
        high=_INTEGER,
        load_default=PAGE,
        data_key="_count",
        metadata={"description": f"resources at the most, never more than {LARGEST_PAGE}"},
    )
    cursor: fields.String = fields.String(
        data_key="_cursor",
        validate=Fully(f"^{UUID}$", error="Is no place in this list."),
        metadata={"description": PLACE},
    )
    last_updated = fields.List(Moments(), data_key="_lastUpdated")


def _refuse() -> Bound:
    raise ValidationError(_DATE_RULE)


def _bound(found: re.Match[str]) -> Bound:
    prefix, first, after = found[1] or "eq", *_period(found)
    if prefix == "eq":
        return Bound(first, after)
    ends = {"ge": Bound(since=first), "gt": Bound(since=after)}
    return ends.get(prefix) or Bound(before=first if prefix == "lt" else after)


def _period(found: re.Match[str]) -> tuple[datetime, datetime]:
    """Return the first moment of what was said, and the first one after it."""
    year, month, day = int(found[2]), int(found[3] or 1), int(found[4] or 1)
    if found[5] is None:
        start = date(year, month, day)
        following = _following_day(start, found)
        return _midnight(start), _midnight(following)
    second, fraction = int(found[7] or 0), float(found[8] or 0)
    offset = found[9] or ""
    text = f"{year:04}-{month:02}-{day:02}T{found[5]}:{found[6]}:{second:02}{offset}"
    start_at = datetime.fromisoformat(text) + timedelta(seconds=fraction)
    if found[8] is not None:
        return start_at, start_at + timedelta(microseconds=1)
    return start_at, start_at + (timedelta(minutes=1) if found[7] is None else timedelta(seconds=1))


def _following_day(start: date, found: re.Match[str]) -> date:
    if found[3] is None:
        return date(start.year + 1, 1, 1)
    if found[4] is None:
        return date(start.year + start.month // 12, start.month % 12 + 1, 1)
    return start + timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _token(part: str) -> Token:
    system, bar, code = part.rpartition("|")
    return Token(system if bar else None, code or None)
