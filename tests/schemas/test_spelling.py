"""The spellings of the contract: their patterns say what the fields take, character by character."""

import unicodedata
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError, fields

from schemas import spelling
from schemas.fields import Country, Day, Email, Id, Moment, Reason, Text, TimeOfDay, Zone
from schemas.note import Note
from schemas.phone_clock import PhoneClock
from schemas.shift import CivilTime
from schemas.spelling import Spelling
from schemas.sync import Id7
from server.clinical import plain_text

LONGEST = 10_000
OF = {
    spelling.LINE: Text(longest=LONGEST),
    spelling.WORDS: Text(longest=LONGEST, shortest=1),
    spelling.LINES: Text(longest=LONGEST, lines=True),
    spelling.NOTE: Note(longest=LONGEST),
    spelling.REASON: Reason(longest=LONGEST),
    spelling.EMAIL: Email(),
    spelling.ID: Id(),
    spelling.ID7: Id7(),
    spelling.MOMENT: Moment(),
    spelling.PHONE_CLOCK: PhoneClock(),
    spelling.DAY: Day(),
    spelling.CIVIL_TIME: CivilTime(),
    spelling.TIME_OF_DAY: TimeOfDay(),
}
TEXTS = (spelling.LINE, spelling.WORDS, spelling.LINES, spelling.NOTE, spelling.REASON)
# All that is out of the ordinary, and every so many of the others; lone halves are in no UTF-8.
CHARACTERS = [
    character
    for character in map(chr, [*range(0xD800), *range(0xE000, 0x10000)])
    if unicodedata.category(character)[0] in "CZ" and unicodedata.category(character) != "Co"
    if unicodedata.category(character) != "Cn" or character >= "\ufdd0"
] + [*map(chr, range(0x20, 0x2000, 31))]


def takes(field: fields.Field[Any], value: Any) -> bool:
    try:
        field.deserialize(value)
    except ValidationError:
        return False
    return True


def test_every_spelling_has_its_field() -> None:
    assert {*OF, Zone.spelled, Country.spelled} == set(spelling.ALL)


@pytest.mark.parametrize("spelled", TEXTS, ids=lambda spelled: spelled.name)
def test_a_text_s_pattern_takes_the_characters_that_its_field_takes(spelled: Spelling) -> None:
    assert len(CHARACTERS) > 300
    for pattern in ("{}", "a{}", "{}\n"):
        wrong = [c for c in CHARACTERS if spelled.fits(text := pattern.format(c)) != takes(OF[spelled], text)]
        # What overrides the direction is left out of lines; nothing is left of them alone.
        assert set(wrong) <= set("\u202a\u202b\u202c\u202d\u202e"), pattern
        assert spelled is spelling.REASON or not wrong, pattern


def test_what_can_not_be_seen_is_what_unicode_says() -> None:
    for character in CHARACTERS:
        hidden = character.isspace() or unicodedata.category(character) == "Cf"
        barred = plain_text.ANY_BARRED.search(character) is not None
        assert barred or hidden == (plain_text.ANY_SEEN.search(character) is None), hex(ord(character))


@pytest.mark.parametrize("spelled", OF, ids=lambda spelled: spelled.name)
def test_what_a_pattern_makes_is_taken_but_for_days_that_no_month_has(spelled: Spelling) -> None:
    @given(st.from_regex(spelled.pattern or "", fullmatch=True).filter(lambda text: len(text) <= LONGEST))
    def check(text: str) -> None:
        if spelled.fits(text) and not takes(OF[spelled], text):
            day = text[:10]
            at_an_end = spelled is spelling.MOMENT and day in ENDS
            assert at_an_end or spelled in TEXTS or (day[5:7], day[8:]) in NO_DAYS or day[5:] == "02-29", text

    check()


# Whether these are of the years 1970 to 2200 in UTC, the hour and the offset say together.
ENDS = ("1969-12-31", "1970-01-01", "2200-12-31", "2201-01-01")
NO_DAYS = {("02", "30"), ("02", "31"), *((month, "31") for month in ("04", "06", "09", "11"))}


@pytest.mark.parametrize(
    ("spelled", "good", "bad"),
    [
        (spelling.MOMENT, "1970-01-01T00:00:00Z", "1969-12-30T23:59:59Z"),
        (spelling.MOMENT, "2200-12-31T23:59:59.999999Z", "2201-01-02T00:00:00Z"),
        (spelling.MOMENT, "2026-03-02t10:00:00z", "2026-03-02 10:00:00Z"),
        (spelling.PHONE_CLOCK, "0001-01-01T00:00:00+23:59", "0000-12-31T00:00:00Z"),
        (spelling.PHONE_CLOCK, "9999-12-31T23:59:59.999999-23:59", "10000-01-01T00:00:00Z"),
        (spelling.DAY, "1900-01-01", "1899-12-31"),
        (spelling.DAY, "2200-12-31", "2201-01-02"),
        (spelling.DAY, "2201-01-01", "2201-02-01"),
        (spelling.DAY, "2024-02-29", "2024-00-01"),
        (spelling.CIVIL_TIME, "1970-01-01T00:00", "1970-01-01T00:00Z"),
        (spelling.TIME_OF_DAY, "23:59", "24:00"),
        (spelling.EMAIL, "a@b", "a@b\n"),
        (spelling.ID, "019caae3-5000-7000-8000-000000000001", "019CAAE3-5000-7000-8000-000000000001"),
        (spelling.ID7, "019caae3-5000-7000-8000-000000000001", "019caae3-5000-4000-8000-000000000001"),
    ],
)
def test_where_a_spelling_ends(spelled: Spelling, good: str, bad: str) -> None:
    assert spelled.fits(good)
    assert takes(OF[spelled], good)
    assert not spelled.fits(bad)
    assert not takes(OF[spelled], bad)


@pytest.mark.parametrize(
    ("first", "before"),
    [
        ("1969-12-31T19:00:00-05:00", "1969-12-31T18:59:59.999999-05:00"),
        ("1970-01-01T01:00:00+01:00", "1970-01-01T00:59:59+01:00"),
        ("2200-12-31T18:59:59.999999-05:00", "2200-12-31T19:00:00-05:00"),
        ("2201-01-01T00:59:59+01:00", "2201-01-01T01:00:00+01:00"),
    ],
)
def test_a_moment_is_bounded_by_when_it_was_and_not_by_the_year_of_a_zone(first: str, before: str) -> None:
    moment = Moment()
    assert takes(moment, moment.deserialize(first).astimezone(UTC).isoformat())
    with pytest.raises(ValidationError, match="Must be between 1970 and 2200"):
        moment.deserialize(before)
