"""A patient's day is one stretch of time: it begins once and ends once, whatever becomes of the clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from server.clinical import wall_clock

# Each with a date on which its clock is put back past an hour at which a clinic may let days start.
PUT_BACK = {
    "Pacific/Chatham": date(2026, 4, 5),  # at 03:45
    "Antarctica/Troll": date(2026, 10, 25),  # at 03:00, by two hours
    "Antarctica/Casey": date(2018, 3, 11),  # at 04:00, by three hours
    "America/St_Johns": date(2010, 11, 7),  # at 00:01
    "Europe/Oslo": date(2026, 10, 25),
}
STARTS = range(wall_clock.EARLIEST_START, wall_clock.LATEST_START + 1)


@pytest.mark.parametrize("zone", PUT_BACK)
@pytest.mark.parametrize("day_start", STARTS)
def test_no_moment_belongs_to_a_day_that_is_over(zone: str, day_start: int) -> None:
    noon = datetime(*PUT_BACK[zone].timetuple()[:3], 12, tzinfo=UTC) - timedelta(days=2)
    moments = [noon + timedelta(minutes=15 * n) for n in range(4 * 24 * 3)]
    days = [wall_clock.day_of(at, zone, day_start) for at in moments]
    for at, day in zip(moments, days, strict=True):
        began = wall_clock.day_end(day - timedelta(days=1), zone, day_start)
        assert began <= at < wall_clock.day_end(day, zone, day_start), at
    assert all(after - before in (timedelta(0), timedelta(days=1)) for before, after in pairwise(days))
