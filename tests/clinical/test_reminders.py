"""Reminder times: one a local day, at the civil time, in every zone, whatever the clock does."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical import wall_clock
from server.clinical.checkins import DIARY, Occurrence
from server.clinical.reminders import (
    LARGEST_JITTER,
    LAST_CALL,
    LOOKS_AHEAD,
    WINDOW,
    Pause,
    Rhythm,
    coming_slots,
    is_quiet,
    jitter_of,
    next_look,
    open_slot,
    quiet_end,
    slot,
    to_remind,
    until_quiet,
)

AWAKE = {"quiet_from": time(0, 0), "quiet_until": time(0, 0)}
EVENING = Rhythm(at=time(21, 0))
BEGUN = datetime(2011, 1, 1, tzinfo=UTC)
# Twenty-four zones, each with a date its clock was changed on, forward or back.
CHANGES = {
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),  # by half an hour
    "Africa/Casablanca": (date(2026, 3, 22), date(2026, 2, 15)),  # back for Ramadan
    "Asia/Kathmandu": (date(1986, 1, 1), date(2026, 3, 29)),  # +5:30 to +5:45
    "Pacific/Apia": (date(2011, 9, 24), date(2011, 12, 30)),  # the skipped date
    "Pacific/Chatham": (date(2026, 9, 27), date(2026, 4, 5)),  # +12:45
    "Antarctica/Troll": (date(2026, 3, 29), date(2026, 10, 25)),  # by two hours
    "America/Santiago": (date(2026, 9, 6), date(2026, 4, 5)),  # at midnight
    "Asia/Tehran": (date(2021, 3, 22), date(2021, 9, 22)),
    "Asia/Gaza": (date(2023, 4, 29), date(2023, 10, 28)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Europe/London": (date(2026, 3, 29), date(2026, 10, 25)),
    "Australia/Sydney": (date(2026, 10, 4), date(2026, 4, 5)),
    "Europe/Lisbon": (date(2026, 3, 29), date(2026, 10, 25)),
    "Europe/Istanbul": (date(2015, 3, 29), date(2015, 11, 8)),
    "America/Adak": (date(2026, 3, 8), date(2026, 11, 1)),
    "Atlantic/Azores": (date(2026, 3, 29), date(2026, 10, 25)),  # at midnight
    "Pacific/Kiritimati": (date(1994, 12, 31), date(2026, 1, 1)),  # the date line, +14
    "America/St_Johns": (date(2026, 3, 8), date(2026, 11, 1)),
    "Africa/Cairo": (date(2023, 4, 28), date(2023, 10, 26)),  # at midnight
    "Pacific/Auckland": (date(2026, 9, 27), date(2026, 4, 5)),
    "America/Havana": (date(2026, 3, 8), date(2026, 11, 1)),  # at midnight
    "Pacific/Kwajalein": (date(1993, 8, 21), date(2026, 1, 1)),  # the date line
    "Asia/Pyongyang": (date(2018, 5, 5), date(2015, 8, 15)),  # half hours, no summer time
    "Asia/Kolkata": (date(2024, 2, 29), date(2026, 1, 1)),  # nothing but a leap day
}
TIMES = [time(hour, minute) for hour in range(24) for minute in (0, 15, 30, 45)]
SKIPPED = {
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Kiritimati", date(1994, 12, 31)),
    ("Pacific/Kwajalein", date(1993, 8, 21)),
}


def days_around(zone: str) -> list[date]:
    return [day + timedelta(days=k) for day in CHANGES[zone] for k in range(-3, 4)]


def on_the_wall(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def first_time_the_clock_shows(wall: datetime, zone: str) -> datetime:
    """Walk through the hours a minute at a time: slow, and sure."""
    there = ZoneInfo(zone)
    minute = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    while minute.astimezone(there).replace(tzinfo=None) < wall:
        minute += timedelta(minutes=1)
    return minute


@pytest.mark.long
@pytest.mark.parametrize("zone", CHANGES)
def test_a_civil_time_is_the_first_moment_the_clock_shows_it_or_has_passed_it(zone: str) -> None:
    for change, hour in product(CHANGES[zone], (0, 1, 2, 3, 21, 23)):
        for day in (change, change + timedelta(days=1)):
            wall = datetime.combine(day, time(hour, 30))
            assert wall_clock.moment(wall, zone) == first_time_the_clock_shows(wall, zone), wall


@pytest.mark.long
@pytest.mark.parametrize("zone", CHANGES)
def test_there_is_exactly_one_reminder_a_local_day_at_the_civil_time(zone: str) -> None:
    for at, day_start in product(TIMES, (0, 4, 6)):
        rhythm = Rhythm(at=at, day_start=day_start, **AWAKE)
        for day in days_around(zone):
            on = day if at.hour >= day_start else day + timedelta(days=1)
            found = slot(day, rhythm, zone)
            if (zone, on) in SKIPPED:
                assert found is None
                continue
            assert found is not None, (zone, day, at)
            assert wall_clock.day_of(found.at, zone, rhythm.day_start) == day
            wanted, shown = datetime.combine(on, at), on_the_wall(found.at, zone)
            if shown != wanted:  # then the clock never showed it: it jumped over it then, or right after
                after = found.at + LAST_CALL if shown < wanted else found.at
                assert on_the_wall(after - timedelta(seconds=1), zone) < wanted <= on_the_wall(after, zone)


@pytest.mark.parametrize("zone", CHANGES)
def test_a_job_that_looks_every_ten_minutes_finds_every_slot_once(zone: str) -> None:
    day = CHANGES[zone][0]
    now = wall_clock.day_end(day - timedelta(days=3), zone, 4)
    seen = [found.day for found in _found_by_looking(now, zone, days=6)]
    around = (day + timedelta(days=k) for k in range(-2, 4))
    expected = [day for day in around if (zone, day) not in SKIPPED]
    assert seen[: len(expected)] == expected
    assert len(seen) == len(set(seen))


def _found_by_looking(now: datetime, zone: str, days: int) -> Iterator[object]:
    look, end = next_look(now, EVENING, zone), now + timedelta(days=days)
    while now < end:
        if look is not None and look <= now:
            found = open_slot(now, EVENING, zone)
            look = next_look(now, EVENING, zone)
            if found is not None:
                yield found
        now += timedelta(minutes=10)


def test_samoa_had_no_30_december_2011_and_nobody_is_reminded_twice_for_it() -> None:
    evenings = [slot(date(2011, 12, day), EVENING, "Pacific/Apia") for day in (29, 30, 31)]
    assert evenings[1] is None
    assert evenings[0] is not None
    assert evenings[2] is not None
    assert evenings[2].at - evenings[0].at == timedelta(hours=24)


def test_a_leap_day_is_a_day() -> None:
    found = slot(date(2028, 2, 29), EVENING, "Europe/Oslo")
    assert found is not None
    assert found.at == datetime(2028, 2, 29, 20, 0, tzinfo=UTC)


def test_a_slot_in_the_gap_of_spring_is_at_the_first_moment_after_it() -> None:
    found = slot(date(2026, 3, 28), Rhythm(at=time(2, 30), **AWAKE), "Europe/Oslo")
    assert found is not None
    assert found.at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)  # the clock goes from 02:00 to 03:00


def test_a_slot_in_the_hour_that_comes_twice_is_in_the_first_one() -> None:
    found = slot(date(2026, 10, 24), Rhythm(at=time(2, 30), **AWAKE), "Europe/Oslo")
    assert found is not None
    assert found.at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(
    patient=st.uuids(),
    at=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    day=st.dates(date(2000, 1, 1), date(2035, 12, 31)),
    zone=st.sampled_from(sorted(CHANGES)),
    day_start=st.integers(wall_clock.EARLIEST_START, wall_clock.LATEST_START),
)
def test_a_slot_lies_in_its_own_day_and_within_the_jitter(
    patient: UUID, at: time, day: date, zone: str, day_start: int
) -> None:
    jitter = jitter_of(patient)
    assert jitter == jitter_of(patient)
    assert abs(jitter) <= LARGEST_JITTER
    found = slot(day, Rhythm(at=at, jitter=jitter, day_start=day_start, **AWAKE), zone)
    plain = slot(day, Rhythm(at=at, day_start=day_start, **AWAKE), zone)
    assert (found is None) == (plain is None)
    if found is not None and plain is not None:
        # A gap or a repeated hour between the two adds its own length, two hours at the most.
        assert abs(found.at - plain.at) <= LARGEST_JITTER + timedelta(hours=2)
        assert wall_clock.day_of(found.at, zone, day_start) == day
        assert found.at < found.until <= found.at + WINDOW


@given(
    at=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    quiet_from=st.times(),
    quiet_until=st.times(),
    zone=st.sampled_from(sorted(CHANGES)),
    day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
)
def test_nothing_is_ever_due_in_quiet_hours(
    at: time, quiet_from: time, quiet_until: time, zone: str, day: date
) -> None:
    rhythm = Rhythm(at=at, quiet_from=quiet_from, quiet_until=quiet_until)
    found = slot(day, rhythm, zone)
    if found is not None:
        local = found.at.astimezone(ZoneInfo(zone))
        # Quiet hours whose end lies in a gap of the clock end when the gap does.
        assert not is_quiet(local.time(), rhythm)
        assert open_slot(found.at, rhythm, zone) == found


@pytest.mark.parametrize("minutes", range(0, 120, 10))
def test_quiet_hours_that_end_in_the_hour_that_comes_twice_hold_nothing_until_the_next_night(
    minutes: int,
) -> None:
    rhythm = Rhythm(at=time(20), quiet_from=time(22), quiet_until=time(1, 30))
    at = datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=minutes)  # at 1 UTC it is 1 in London again
    assert quiet_end(at, rhythm, "Europe/London") - at <= timedelta(minutes=30)


@given(
    at=st.sampled_from(TIMES),
    quiet=st.tuples(st.sampled_from(TIMES), st.sampled_from(TIMES)),
    zone=st.sampled_from(sorted(CHANGES)),
    which=st.integers(0, 13),
    late=st.integers(0, 180),
)
def test_a_reminder_may_wait_while_its_slot_lasts_and_never_into_quiet_hours(
    at: time, quiet: tuple[time, time], zone: str, which: int, late: int
) -> None:
    rhythm = Rhythm(at=at, quiet_from=quiet[0], quiet_until=quiet[1])
    found = slot(days_around(zone)[which], rhythm, zone)
    now = None if found is None else found.at + timedelta(minutes=late)
    if found is None or now is None or open_slot(now, rhythm, zone) != found:
        return
    until = until_quiet(now, found, rhythm, zone)
    waited = (now + timedelta(minutes=n) for n in range((until - now) // timedelta(minutes=1)))
    assert now < until <= found.until
    assert not any(is_quiet(one.astimezone(ZoneInfo(zone)).time(), rhythm) for one in waited)
    assert until == found.until or is_quiet(until.astimezone(ZoneInfo(zone)).time(), rhythm)


@given(
    now=st.integers(0, 20 * 366 * 24 * 60).map(lambda minutes: BEGUN + timedelta(minutes=minutes)),
    at=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    quiet=st.sampled_from([(time(0), time(0)), (time(22), time(7)), (time(12), time(13))]),
    zone=st.sampled_from(sorted(CHANGES)),
    day_start=st.integers(wall_clock.EARLIEST_START, wall_clock.LATEST_START),
)
def test_a_slot_is_open_exactly_where_one_of_the_days_around_has_it(
    now: datetime, at: time, quiet: tuple[time, time], zone: str, day_start: int
) -> None:
    rhythm = Rhythm(at=at, quiet_from=quiet[0], quiet_until=quiet[1], day_start=day_start)
    days = (wall_clock.day_of(now, zone, day_start) + timedelta(days=n) for n in range(-3, 4))
    found = [one for one in (slot(day, rhythm, zone) for day in days) if one and one.at <= now < one.until]
    quiet_now = is_quiet(now.astimezone(ZoneInfo(zone)).time(), rhythm)
    assert open_slot(now, rhythm, zone) == (found[0] if found and not quiet_now else None)
    assert len(found) <= 1


def test_the_jitter_uses_its_whole_range_and_nothing_else() -> None:
    drawn = {jitter_of(UUID(int=n)) // timedelta(minutes=1) for n in range(2000)}
    assert drawn == set(range(-15, 16))


@pytest.mark.parametrize(("at", "minutes"), [(time(21, 50), 15), (time(4, 5), -15), (time(3, 50), 15)])
def test_the_jitter_never_pushes_a_reminder_into_quiet_hours_or_another_day(at: time, minutes: int) -> None:
    quiet = {} if at > time(12) else AWAKE
    shifted = Rhythm(at=at, jitter=timedelta(minutes=minutes), **quiet)
    assert slot(date(2026, 5, 4), shifted, "Europe/Oslo") == slot(
        date(2026, 5, 4), Rhythm(at=at, **quiet), "Europe/Oslo"
    )


def test_quiet_hours_hold_a_reminder_until_they_end_or_drop_it() -> None:
    day, held = date(2026, 5, 4), Rhythm(at=time(6, 0), quiet_until=time(7, 30))
    found = slot(day, held, "UTC")
    assert found is not None
    assert found.at == datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
    assert found.until == datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
    assert slot(day, Rhythm(at=time(23, 0)), "UTC") is None


def test_quiet_hours_that_begin_in_the_evening_end_on_the_next_morning() -> None:
    late, early = (datetime(2026, 5, day, hour, tzinfo=UTC) for day, hour in ((4, 21), (5, 2)))
    assert {quiet_end(at, Rhythm(), "Europe/Oslo") for at in (late, early)} == {
        datetime(2026, 5, 5, 5, tzinfo=UTC)
    }


def test_a_reminder_may_come_until_the_quiet_hours_begin_or_its_slot_ends() -> None:
    half_past = timedelta(minutes=30)
    evening, night = Rhythm(at=time(20)), Rhythm(at=time(22), quiet_from=time(0), quiet_until=time(0))
    for rhythm, lasts in ((evening, timedelta(hours=2)), (night, WINDOW)):
        found = slot(date(2026, 5, 4), rhythm, "UTC")
        assert found is not None
        assert until_quiet(found.at + half_past, found, rhythm, "UTC") == found.at + lasts


def test_a_rhythm_that_is_always_quiet_never_has_a_look() -> None:
    never = Rhythm(at=time(23, 0), quiet_from=time(22, 0), quiet_until=time(9, 0))
    assert next_look(datetime(2026, 5, 4, 12, tzinfo=UTC), never, "UTC") is None


def test_a_pause_has_no_slots_and_the_look_after_it_is_found() -> None:
    paused = Rhythm(pause=Pause(date(2026, 5, 4), date(2026, 6, 4)))
    assert slot(date(2026, 5, 4), paused, "UTC") is None
    assert slot(date(2026, 6, 4), paused, "UTC") is None
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    assert next_look(now, paused, "UTC") == datetime(2026, 6, 5, 20, tzinfo=UTC)


def test_a_slot_is_open_for_three_hours_and_catching_up_ends_there() -> None:
    at = datetime(2026, 5, 4, 20, tzinfo=UTC)
    rhythm = Rhythm(quiet_from=time(1), quiet_until=time(7))
    assert open_slot(at - timedelta(seconds=1), rhythm, "UTC") is None
    assert open_slot(at, rhythm, "UTC") is not None
    assert open_slot(at + WINDOW - timedelta(seconds=1), rhythm, "UTC") is not None
    assert open_slot(at + WINDOW, rhythm, "UTC") is None


def test_catching_up_waits_for_nobody_in_quiet_hours() -> None:
    now = datetime(2026, 5, 4, 22, 30, tzinfo=UTC)  # 20:00 was missed, 22:00 is quiet
    assert open_slot(now, Rhythm(), "UTC") is None
    assert next_look(now, Rhythm(), "UTC") == datetime(2026, 5, 5, 20, tzinfo=UTC)


def test_a_slot_held_open_over_short_quiet_hours_is_looked_at_when_they_end() -> None:
    nap = Rhythm(at=time(20), quiet_from=time(21), quiet_until=time(22))
    now = datetime(2026, 5, 4, 21, 10, tzinfo=UTC)
    assert open_slot(now, nap, "UTC") is None
    assert next_look(now, nap, "UTC") == datetime(2026, 5, 4, 22, tzinfo=UTC)


def test_the_coming_slots_are_those_a_job_finds_open_when_it_looks_at_once_and_then_when_told() -> None:
    noon, evening = datetime(2026, 5, 4, 12, tzinfo=UTC), datetime(2026, 5, 4, 20, tzinfo=UTC)
    found = list(coming_slots(noon, Rhythm(), "UTC"))
    assert [(at, s.day) for at, s in found[:2]] == [
        (evening, date(2026, 5, 4)),
        (evening + timedelta(days=1), date(2026, 5, 5)),
    ]
    assert len(found) == LOOKS_AHEAD - 1, "the look at noon finds nothing open"
    late = evening + timedelta(hours=1)
    assert next(coming_slots(late, Rhythm(), "UTC"))[0] == late


def test_who_is_quiet_all_day_has_no_coming_slots() -> None:
    never = Rhythm(at=time(20), quiet_from=time(19), quiet_until=time(18, 59))
    assert list(coming_slots(datetime(2026, 5, 4, 12, tzinfo=UTC), never, "UTC")) == []


def test_a_lower_frequency_thins_the_diary_and_never_a_scale() -> None:
    days = [date(2026, 5, 1) + timedelta(days=k) for k in range(6)]
    thin = Rhythm(every_days=3)
    diary = [to_remind([Occurrence(DIARY, day, day)], thin, set(), set()) for day in days]
    scale = [to_remind([Occurrence("phq-9", day, day)], thin, set(), set()) for day in days]
    assert sorted(len(found) for found in diary) == [0, 0, 0, 0, 1, 1]
    assert [len(found) for found in scale] == [1] * 6


def test_what_is_done_or_was_reminded_of_is_not_reminded_of() -> None:
    day = date(2026, 5, 4)
    both = [Occurrence(DIARY, day, day), Occurrence("phq-9", day, day)]
    assert to_remind(both, Rhythm(), {both[0].key}, {both[1].key}) == []
    assert to_remind(both, Rhythm(), {both[0].key}, set()) == [both[1]]


@pytest.mark.parametrize(
    ("at", "quiet"),
    [(time(11, 59), False), (time(12), True), (time(13, 59), True), (time(14), False)],
)
def test_quiet_hours_within_a_day_begin_at_their_first_minute_and_end_before_their_last(
    at: time, quiet: bool
) -> None:
    assert is_quiet(at, Rhythm(quiet_from=time(12), quiet_until=time(14))) is quiet


@pytest.mark.parametrize(
    ("at", "minutes", "shown"),
    [
        (time(20), 10, time(20, 10)),
        (time(20), -10, time(19, 50)),
        (time(4), -10, time(4)),  # that would be the day before
        (time(4), 0, time(4)),
        (time(3, 55), 10, time(3, 55)),  # and that the day after
        (time(3, 45), 14, time(3, 59)),
    ],
)
def test_a_reminder_comes_at_the_patients_own_minute_unless_that_is_another_day(
    at: time, minutes: int, shown: time
) -> None:
    own = Rhythm(at=at, jitter=timedelta(minutes=minutes), day_start=4, **AWAKE)
    found = slot(date(2026, 5, 2), own, "Europe/Oslo")
    assert found is not None
    assert on_the_wall(found.at, "Europe/Oslo").time() == shown


def test_a_patients_own_minute_never_enters_the_quiet_hours() -> None:
    late = Rhythm(at=time(21, 55), jitter=timedelta(minutes=10), quiet_from=time(22), quiet_until=time(7))
    found = slot(date(2026, 5, 2), late, "Europe/Oslo")
    assert found is not None
    assert on_the_wall(found.at, "Europe/Oslo").time() == time(21, 55)
