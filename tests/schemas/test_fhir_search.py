"""FHIR's search parameters: what a date means is a span, whatever was left out of it."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from schemas.fhir.search import Bound, Moments, Token, Tokens

OSLO = timezone(timedelta(hours=1))


def at(year: int, month: int, day: int, *clock: int) -> datetime:
    """Return a moment by the patient's own clock."""
    return datetime.combine(date(year, month, day), time(*clock))


SPANS = [
    ("2026", at(2026, 1, 1), at(2027, 1, 1)),
    ("2026-02", at(2026, 2, 1), at(2026, 3, 1)),
    ("2026-12", at(2026, 12, 1), at(2027, 1, 1)),
    ("2028-02-29", at(2028, 2, 29), at(2028, 3, 1)),
    ("2026-12-31", at(2026, 12, 31), at(2027, 1, 1)),
    ("2026-03-02T10:05", at(2026, 3, 2, 10, 5), at(2026, 3, 2, 10, 6)),
    ("2026-03-02T10:05:59", at(2026, 3, 2, 10, 5, 59), at(2026, 3, 2, 10, 6)),
    (
        "2026-03-02T10:05:00Z",
        datetime(2026, 3, 2, 10, 5, tzinfo=UTC),
        datetime(2026, 3, 2, 10, 5, 1, tzinfo=UTC),
    ),
    (
        "2026-03-02T10:05:00.250+01:00",
        datetime(2026, 3, 2, 10, 5, 0, 250000, OSLO),
        datetime(2026, 3, 2, 10, 5, 0, 250001, OSLO),
    ),
]


@pytest.mark.parametrize(("said", "since", "before"), SPANS)
def test_a_prefix_cuts_the_span_where_fhir_cuts_it(said: str, since: datetime, before: datetime) -> None:
    read = Moments().deserialize
    assert read(said) == read(f"eq{said}") == Bound(since, before)
    assert read(f"ge{said}") == Bound(since=since)
    assert read(f"gt{said}") == Bound(since=before)
    assert read(f"le{said}") == Bound(before=before)
    assert read(f"lt{said}") == Bound(before=since)


@given(st.text() | st.from_regex(r"\A(ge|le|eq|xx)?[0-9]{1,5}(-[0-9]{1,2}){0,3}(T[0-9:.]{0,12}Z?)?\Z"))
def test_a_text_is_a_date_or_is_refused(text: str) -> None:
    try:
        found = Moments().deserialize(text)
    except ValidationError:
        return
    assert found.since is None or found.before is None or found.since < found.before


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        ("44261-6", [Token(None, "44261-6")]),
        ("http://loinc.org|44261-6", [Token("http://loinc.org", "44261-6")]),
        ("|pain_now,urn:a|", [Token("", "pain_now"), Token("urn:a", None)]),
    ],
)
def test_a_code_has_any_system_one_or_none(said: str, tokens: list[Token]) -> None:
    assert list(Tokens().deserialize(said)) == tokens
