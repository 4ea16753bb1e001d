"""Whom to call: what is shipped, what a clinic lays over it, and what a bad file is told."""

from datetime import date, timedelta

import pytest

from server.clinical.countries import country_of
from server.clinical.crisis_lines import OTHER, SHIPPED, CrisisLinesError, Directory

NORWAY = """
[NO]
emergency = "113"
reviewed_on = 2026-03-01
source = "https://example.org"
lines = [{ number = "116 123", name = "Mental Helse", hours = "always" }]
"""


def test_every_country_shipped_has_an_emergency_number_and_somebody_to_talk_to() -> None:
    assert SHIPPED.of("GB").emergency == "999 or 112"
    assert SHIPPED.of("GB").texts[0] == "116 123 (Samaritans)"
    assert all(row.lines and row.source for row in SHIPPED.by_country.values())


def test_a_country_without_lines_of_its_own_gets_the_international_directory() -> None:
    assert SHIPPED.of("XX") is SHIPPED.by_country[OTHER]
    assert SHIPPED.of("XX").lines[0].number == "findahelpline.com"


def test_who_travels_is_told_whom_to_call_where_they_are_and_at_home() -> None:
    found, home, there = SHIPPED.near("GB", "America/New_York"), SHIPPED.of("GB"), SHIPPED.of("US")
    assert found.emergency == "911 (United States) or 999 or 112 (Britain (UK))"
    assert found.texts[0] == "988 (Suicide & Crisis Lifeline: call, text or chat, United States)"
    assert "116 123 (Samaritans, Britain (UK))" in found.texts, "elsewhere it is somebody else's or nobody's"
    assert [line.number for line in found.lines] == [line.number for line in (*there.lines, *home.lines)]
    assert found.reviewed_on == min(home.reviewed_on, there.reviewed_on)
    assert SHIPPED.near("GB", "Europe/Dublin").emergency == home.emergency == SHIPPED.of("IE").emergency
    assert SHIPPED.near("GB", "US/Pacific").emergency == found.emergency, "a zone's former name is one"


def test_where_no_lines_are_known_home_s_numbers_are_not_told_as_if_they_answered_there() -> None:
    found = SHIPPED.near("US", "Asia/Bangkok")
    assert found.emergency == "your local emergency number (Thailand) or 911 (United States)"
    assert found.texts[0] == "findahelpline.com (directory of help lines by country)"
    assert found.texts[1] == "988 (Suicide & Crisis Lifeline: call, text or chat, United States)"
    assert SHIPPED.near("TH", "Asia/Tokyo").texts == SHIPPED.of("XX").texts, "said once"


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("US", "America/Puerto_Rico"),
        ("US", "Pacific/Guam"),
        ("FR", "Indian/Reunion"),
        ("FI", "Europe/Mariehamn"),
    ],
)
def test_who_lives_in_a_part_of_a_country_with_a_code_of_its_own_is_shown_its_numbers(
    country: str, zone: str
) -> None:
    found, home = SHIPPED.near(country, zone), SHIPPED.of(country)
    assert (found.emergency, found.lines[0]) == (home.emergency, home.lines[0])
    assert [line.number for line in found.lines] == [line.number for line in home.lines], "each once"


def test_a_line_that_answers_in_both_countries_is_said_once_and_is_neithers_alone() -> None:
    found = SHIPPED.near("GB", "Europe/Jersey")
    assert (found.emergency, found.texts[0]) == ("999 or 112", "116 123 (Samaritans)")
    assert found.texts[1] == "text SHOUT to 85258 (Shout, Britain (UK))"


@pytest.mark.parametrize(("country", "zone"), [("IT", "Europe/Rome"), ("SE", "Europe/Stockholm")])
def test_in_the_whole_union_one_number_is_known(country: str, zone: str) -> None:
    assert SHIPPED.of(country).emergency == "112"
    assert SHIPPED.near("US", zone).emergency.startswith("112 (")
    assert SHIPPED.near(country, "Europe/Berlin").emergency == "112"


@pytest.mark.parametrize("zone", ["Europe/London", "Etc/UTC", "GB", "Mars/Base"])
def test_at_home_and_where_nothing_is_known_the_lines_are_those_of_home(zone: str) -> None:
    assert SHIPPED.near("GB", zone) is SHIPPED.of("GB")


def test_a_zone_lies_in_the_country_it_names() -> None:
    zones = {"Asia/Calcutta": "IN", "Africa/Accra": "GH", "Europe/Oslo": "NO"}
    assert {zone: country_of(zone) for zone in zones} == zones
    assert [country_of(zone) for zone in ("Etc/UTC", "Moon/Base")] == [None, None]


@pytest.mark.parametrize("zone", ["CET", "MET", "EST", "HST"])
def test_a_zone_of_several_countries_lies_in_none_of_them(zone: str) -> None:
    assert country_of(zone) is None
    assert SHIPPED.near("NL", zone) is SHIPPED.of("NL")


def test_a_country_is_stale_a_year_after_its_own_review() -> None:
    reviewed = SHIPPED.of("GB").reviewed_on
    anniversary = reviewed.replace(year=reviewed.year + 1)
    assert SHIPPED.stale(anniversary) == []
    assert "GB" in SHIPPED.stale(anniversary + timedelta(days=1))
    newest = max(row.reviewed_on for row in SHIPPED.by_country.values())
    assert SHIPPED.stale(newest + timedelta(days=367)) == sorted(SHIPPED.by_country)
    assert SHIPPED.overlaid(NORWAY).stale(anniversary) == ["NO"]


def test_a_clinics_file_takes_the_place_of_a_country_and_leaves_the_others() -> None:
    laid = SHIPPED.overlaid(NORWAY)
    assert laid.of("NO").texts == ("116 123 (Mental Helse)",)
    assert laid.of("GB") == SHIPPED.of("GB")
    again = laid.overlaid(NORWAY.replace("113", "112"))
    assert (again.of("NO").emergency, laid.of("NO").emergency) == ("112", "113")


def test_a_review_that_lies_ahead_is_named() -> None:
    only = Directory({"NO": SHIPPED.overlaid(NORWAY).of("NO")})
    assert only.ahead_of(date(2026, 2, 28)) == ["NO"]
    assert only.ahead_of(date(2026, 3, 1)) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[NO]", "[NO", "is no TOML: "),
        ("[NO]", "[Norway]", "Norway: must be an ISO 3166 country code, or other"),
        (NORWAY, "NO = 1", "NO: must be a table"),
        ('emergency = "113"', "", "NO.emergency: is missing"),
        ('emergency = "113"', "emergency = 113", "NO.emergency: must be a text"),
        ('source = "https://example.org"', 'source = " "', "NO.source: must be a text"),
        ("source", "web", "NO.source: is missing"),
        ("[NO]", "[NO]\nzone = 1", "NO.zone: is not known"),
        ("2026-03-01", '"today"', "NO.reviewed_on: must be a date such as 2026-11-22"),
        ("2026-03-01", "2026-03-01T00:00:00", "NO.reviewed_on: must be a date such as 2026-11-22"),
        ("lines = [{", "lines = []\n#", "NO.lines: must name at least one line"),
        ("lines = [{", "lines = 1\n#", "NO.lines: must name at least one line"),
        ("lines = [{", "lines = [1]\n#", "NO.lines[1]: must be a table"),
        ("hours", "when", "NO.lines[1].hours: is missing"),
        ('"116 123"', "116123", "NO.lines[1].number: must be a text"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(old: str, new: str, problem: str) -> None:
    assert old in NORWAY
    with pytest.raises(CrisisLinesError) as refused:
        SHIPPED.overlaid(NORWAY.replace(old, new, 1))
    assert str(refused.value).startswith(problem)
    assert "\n" not in str(refused.value)


def test_lines_of_two_countries_are_as_old_as_the_older_review() -> None:
    laid = SHIPPED.overlaid(NORWAY)
    assert laid.of("GB").reviewed_on > date(2026, 3, 1)
    for home, zone in (("GB", "Europe/Oslo"), ("NO", "Europe/London")):
        assert laid.near(home, zone).reviewed_on == date(2026, 3, 1)


def test_a_clinics_file_may_say_what_holds_for_every_other_country() -> None:
    laid = SHIPPED.overlaid(NORWAY.replace("[NO]", f"[{OTHER}]"))
    assert laid.of("XX").emergency == "113"
