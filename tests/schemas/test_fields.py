"""What every field refuses, and what it takes unchanged."""

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from schemas import fields, query
from server.clinical.vocabulary import Role

ID = "01a201a0-ad65-7692-8115-07cd94b22b32"
FIELDS = {
    "whole": fields.Whole(low=0, high=10),
    "query": query.QueryWhole(low=1, high=200),
    "decimal": fields.Decimal(low=0, high=5),
    "flag": fields.Flag(),
    "text": fields.Text(longest=5, shortest=1),
    "lines": fields.Text(longest=9, lines=True),
    "email": fields.Email(),
    "moment": fields.Moment(),
    "day": fields.Day(),
    "zone": fields.Zone(),
    "country": fields.Country(),
    "code": fields.Code(Role),
    "id": fields.Id(),
    "choice": fields.Choice({"mood": fields.Whole(low=0, high=10)}),
}


@pytest.mark.parametrize(
    ("field", "value", "loaded"),
    [
        ("whole", 7, 7),
        ("whole", 7.0, 7),
        ("whole", -0.0, 0),
        ("query", "200", 200),
        ("decimal", 2, 2.0),
        ("decimal", 0.1, 0.1),
        ("flag", False, False),
        ("text", " a ", " a "),
        ("text", "e\u0301", "\u00e9"),
        ("text", "\U0001f642", "\U0001f642"),
        ("text", "a\u200db", "a\u200db"),
        ("lines", "a\n\tb", "a\n\tb"),
        ("email", "Ana@Home.Example", "ana@home.example"),
        ("moment", "2026-03-02T12:00:00Z", datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ("moment", "2026-03-02T12:00:00+05:30", datetime(2026, 3, 2, 6, 30, tzinfo=UTC)),
        ("moment", "2026-03-02t12:00:00.25z", datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)),
        ("day", "2028-02-29", date(2028, 2, 29)),
        ("zone", "Asia/Kathmandu", "Asia/Kathmandu"),
        ("country", "NO", "NO"),
        ("code", "patient", Role.PATIENT),
        ("id", ID, UUID(ID)),
        ("choice", {"mood": 3}, {"mood": 3}),
        ("choice", {}, {}),
    ],
)
def test_a_good_value_is_taken_as_it_is(field: str, value: Any, loaded: Any) -> None:
    assert FIELDS[field].deserialize(value) == loaded
    assert type(FIELDS[field].deserialize(value)) is type(loaded)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("whole", [3.9, "7", True, False, None, math.nan, math.inf, -1, 11, 2**31, 2**63, [7], {"a": 7}]),
        ("query", ["0", "201", "7.0", " 7", "+7", "٧", "", "9" * 30, 7, True]),
        ("decimal", ["2", True, None, math.nan, math.inf, -0.1, 5.1, 10**400, []]),
        ("flag", ["true", 1, 0, "yes", None, []]),
        (
            "text",
            [
                "",
                " ",
                "\u200b\u200d",
                "abcdef",
                "a\x00",
                "\ud800",
                "a\u202eb",
                "a\nb",
                "a\tb",
                "\x7f",
                7,
                None,
                ["a"],
                "\uffff",
            ],
        ),
        ("lines", ["a\rb", "a\x0bb", "\x00"]),
        (
            "email",
            ["a", "@", "a@", "@b", "a b@c", "a@b c", "a@b@c", "ä@b", f"{'a' * 65}@b", "a@" + "b" * 190],
        ),
        ("moment", ["2026-03-02T12:00:00", "2026-03-02", "12:00Z", "", 7, None, "1969-01-01T00:00:00Z"]),
        (
            "moment",
            [
                "2201-01-01T00:00:00Z",
                "2026-02-30T00:00:00Z",
                "2026-03-02T25:00:00Z",
                "now",
                *(
                    f"2026-03-02T12:00{rest}"
                    for rest in ("Z", ":00+01:00:30", ":00+01", ":00+0100", ":00,5Z", ":00.1234567Z")
                ),
                "20260302T120000Z",
                "2026-W10-1T12:00:00Z",
            ],
        ),
        ("day", ["2026-3-2", "20260302", "2026-02-30", "2026-03-02T00:00:00Z", "1899-12-31", 7, None]),
        ("zone", ["oslo", "Europe/oslo", "", "../UTC", "UTC+1", 1, None]),
        ("country", ["ZZ", "no", "NOR", "N", "NO\n", "ÅL", 47, None]),
        ("code", ["PATIENT", "nurse", "", 1, None, ["patient"]]),
        ("id", [ID.upper(), ID.replace("-", ""), f"{{{ID}}}", "7", 7, None, f"urn:uuid:{ID}", "g" * 36]),
        ("choice", [{"mod": 3}, {"mood": 3.5}, {"mood": None}, [], "mood", 7, None]),
    ],
)
def test_what_is_not_exactly_right_is_refused(field: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(ValidationError):
            FIELDS[field].deserialize(value)


@given(st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.none()))
def test_a_whole_number_is_never_changed(value: Any) -> None:
    try:
        loaded = FIELDS["whole"].deserialize(value)
    except ValidationError:
        return
    assert loaded == value
    assert 0 <= loaded <= 10
    assert not isinstance(value, bool)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2200, 12, 30)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_a_moment_goes_round_unchanged(wall: datetime, minutes: int) -> None:
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    text = f"{wall.isoformat()}{sign}{size // 60:02}:{size % 60:02}"
    assert FIELDS["moment"].deserialize(text) == wall.replace(tzinfo=UTC) - timedelta(minutes=minutes)


@given(st.text(max_size=5))
def test_a_text_that_is_taken_holds_nothing_a_database_or_a_screen_trips_over(text: str) -> None:
    try:
        loaded = FIELDS["text"].deserialize(text)
    except ValidationError:
        return
    assert loaded.encode("utf-8")
    assert not any(ord(character) < 32 for character in loaded)


@pytest.mark.parametrize(
    "value", [[], "x", {"a b": 1}, {"": 1}, {"x" * 65: 1}, {"q1": 11}, {"q1": 1, "q2": 2, "q3": 3}]
)
def test_named_members_are_few_plainly_named_and_of_one_kind(value: Any) -> None:
    field = fields.Named(fields.Whole(low=0, high=10, allow_none=True), most=2)
    assert field.deserialize({"q1": 1, "q6_recent": None}) == {"q1": 1, "q6_recent": None}
    with pytest.raises(ValidationError):
        field.deserialize(value)
