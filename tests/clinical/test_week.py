"""Civil weeks: numbered as calendars do, and as long as the clocks make them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical import week as weeks
from server.clinical.week import Week

OSLO = "Europe/Oslo"


def test_a_week_belongs_to_the_year_of_its_thursday() -> None:
    assert str(weeks.of_day(date(2027, 1, 3))) == "2026-W53"
    assert str(weeks.of_day(date(2024, 12, 30))) == "2025-W01"


@given(st.dates(date(1970, 1, 8), date(2200, 12, 20)))
def test_every_day_lies_in_the_week_it_names_and_the_name_leads_back(day: date) -> None:
    week = weeks.of_day(day)
    assert week.first <= day <= week.last
    assert weeks.named(str(week)) == week
    assert week.before().last + timedelta(days=1) == week.first
    assert week.before() < week


def test_the_clinics_clocks_say_which_week_it_is() -> None:
    late_on_sunday = datetime(2026, 3, 8, 23, 30, tzinfo=UTC)
    assert weeks.at(late_on_sunday, OSLO) == Week(2026, 11)
    assert weeks.at(late_on_sunday, "America/New_York") == Week(2026, 10)


def test_a_week_is_an_hour_shorter_where_the_clock_is_put_forward() -> None:
    begins, ends = Week(2026, 13).span(OSLO)
    assert (begins, ends - begins) == (datetime(2026, 3, 22, 23, tzinfo=UTC), timedelta(days=7, hours=-1))


@pytest.mark.parametrize(
    "name", ["2025-W53", "2026-W00", "2026-W54", "2026-10", "W10", "0001-W01", "2201-W01"]
)
def test_what_is_no_week_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        weeks.named(name)
