"""Working hours, shifts and quiet hours mean the same on the two odd days of a year, in every zone."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.rota import (
    DEFAULT_WEEK,
    LONGEST,
    OFFICE,
    Duty,
    Quiet,
    Shift,
    Week,
    WorkingHours,
    duties_at,
    on_call,
    spans,
)
from server.clinical.vocabulary import AlertClass

BO, DEE = UUID(int=1), UUID(int=2)
OSLO = "Europe/Oslo"
CHRISTMAS = date(2026, 12, 25)
HOURS = WorkingHours(OSLO, DEFAULT_WEEK, frozenset({CHRISTMAS}))
NEVER_CLOSED = WorkingHours(OSLO, ((),) * 7, frozenset({CHRISTMAS}))
AN_HOUR, A_DAY, NO_TIME = timedelta(hours=1), timedelta(days=1), timedelta()
# Half an hour forward in Lord Howe, back for Ramadan in Casablanca, a day left out in Apia, none in Kolkata.
ZONES = st.sampled_from(
    [OSLO, "Australia/Lord_Howe", "Africa/Casablanca", "America/New_York", "Pacific/Apia", "Asia/Kolkata"]
)
MOMENTS = st.datetimes(datetime.fromisoformat("2011-01-01"), datetime.fromisoformat("2027-12-31")).map(
    lambda wall: wall.replace(tzinfo=UTC)
)
LENGTHS = st.timedeltas(NO_TIME, timedelta(days=40))
NIGHTS: Week = (((time(0), time(6)), (time(20), time(0))),) * 7
WEEKS = st.sampled_from([DEFAULT_WEEK, NIGHTS, ((),) * 7, ((),) * 6 + ((OFFICE,),)])


def oslo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(OSLO)).astimezone(UTC)


def civil(text: str) -> datetime:
    return datetime.fromisoformat(text)


@st.composite
def hours(draw: st.DrawFn) -> WorkingHours:
    """A clinic somewhere, with holidays around some time."""
    about = draw(MOMENTS).date()
    days = draw(st.frozensets(st.integers(-20, 20), max_size=6))
    return WorkingHours(draw(ZONES), draw(WEEKS), frozenset(about + timedelta(days=n) for n in days))


@pytest.mark.parametrize(
    ("at", "is_open", "opens"),
    [
        ("2026-03-02T07:59:59", False, "2026-03-02T08:00"),  # a Monday
        ("2026-03-02T08:00", True, "2026-03-02T08:00"),
        ("2026-03-02T17:59:59", True, "2026-03-02T17:59:59"),
        ("2026-03-02T18:00", False, "2026-03-03T08:00"),
        ("2026-03-06T18:00", False, "2026-03-09T08:00"),  # over the weekend
        ("2026-03-28T12:00", False, "2026-03-30T08:00"),  # the clock is put forward in between
        ("2026-12-24T18:00", False, "2026-12-28T08:00"),  # Christmas is a Friday
        ("2026-12-25T12:00", False, "2026-12-28T08:00"),
    ],
)
def test_a_clinic_is_open_in_its_hours_and_opens_after_holidays(at: str, is_open: bool, opens: str) -> None:
    assert HOURS.is_open(oslo(at)) is is_open
    assert HOURS.next_opening(oslo(at)) == oslo(opens)


def test_a_clinic_without_hours_is_always_at_work_even_on_holidays() -> None:
    christmas = oslo("2026-12-25T03:00")
    assert NEVER_CLOSED.is_open(christmas)
    assert NEVER_CLOSED.next_opening(christmas) == christmas
    assert NEVER_CLOSED.is_working_day(CHRISTMAS)
    for counted in (NEVER_CLOSED.working_time, NEVER_CLOSED.business_time):
        assert counted(christmas, christmas + A_DAY) == A_DAY
        assert counted(christmas, christmas - A_DAY) == NO_TIME


def test_a_clinic_that_is_closed_for_years_still_has_a_next_opening() -> None:
    days = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(800))
    closed = WorkingHours(OSLO, DEFAULT_WEEK, days)
    now = oslo("2026-03-02T12:00")
    assert closed.next_opening(now) == now + LONGEST
    assert closed.working_time(now, now + LONGEST) == NO_TIME


def test_working_time_leaves_out_nights_and_business_time_only_whole_days() -> None:
    friday, monday = oslo("2026-03-06T17:00"), oslo("2026-03-09T09:00")
    assert HOURS.working_time(friday, monday) == 2 * AN_HOUR
    assert HOURS.business_time(friday, monday) == 7 * AN_HOUR + 9 * AN_HOUR
    over_christmas = oslo("2026-12-24T12:00"), oslo("2026-12-28T12:00")
    assert HOURS.working_time(*over_christmas) == 10 * AN_HOUR
    assert HOURS.business_time(*over_christmas) == A_DAY


def test_a_night_shift_of_a_clinic_runs_through_midnight() -> None:
    nights = WorkingHours(OSLO, NIGHTS)
    evening, morning = oslo("2026-03-02T20:00"), oslo("2026-03-03T06:00")
    assert nights.working_time(evening, morning) == morning - evening
    assert nights.is_open(oslo("2026-03-03T00:00"))
    assert not nights.is_open(morning)


def test_the_hour_that_is_missing_is_not_worked_and_the_one_that_comes_twice_is() -> None:
    whole_day = WorkingHours(OSLO, (((time(0), time(0)),),) * 7)
    for day, hours_long in (("2026-03-29", 23), ("2026-10-25", 25)):
        start = oslo(f"{day}T00:00")
        assert whole_day.working_time(start, start + timedelta(hours=hours_long)) == hours_long * AN_HOUR
        assert whole_day.business_time(start, start + timedelta(hours=hours_long)) == hours_long * AN_HOUR


def test_a_door_in_the_missing_hour_does_not_open_that_day() -> None:
    small_hours = WorkingHours(OSLO, (((time(2), time(2, 30)),),) * 7)
    start = oslo("2026-03-29T00:00")
    assert small_hours.working_time(start, start + 12 * AN_HOUR) == NO_TIME
    assert small_hours.next_opening(start) == oslo("2026-03-30T02:00")


@given(hours(), MOMENTS, st.integers(0, 1200))
def test_the_time_of_years_is_that_of_all_its_days(clinic: WorkingHours, start: datetime, days: int) -> None:
    cuts = [start + number * A_DAY for number in range(days + 1)]
    for counted in (clinic.working_time, clinic.business_time):
        assert counted(start, cuts[-1]) == sum(map(counted, cuts, cuts[1:]), NO_TIME)


@given(hours(), MOMENTS, LENGTHS)
def test_no_more_is_worked_than_there_is_and_never_on_a_day_off(
    clinic: WorkingHours, start: datetime, length: timedelta
) -> None:
    worked, business = clinic.working_time(start, start + length), clinic.business_time(start, start + length)
    assert NO_TIME <= worked <= business <= length


@given(hours(), MOMENTS, LENGTHS, LENGTHS)
def test_time_adds_up_wherever_it_is_cut(
    clinic: WorkingHours, start: datetime, first: timedelta, second: timedelta
) -> None:
    cut, end = start + first, start + first + second
    for counted in (clinic.working_time, clinic.business_time):
        assert counted(start, cut) + counted(cut, end) == counted(start, end)


@given(hours(), MOMENTS)
def test_a_clinic_is_open_when_it_opens_and_shut_until_then(clinic: WorkingHours, moment: datetime) -> None:
    opens = clinic.next_opening(moment)
    assert opens >= moment
    assert clinic.is_open(opens)
    assert clinic.working_time(moment, opens) == NO_TIME
    assert clinic.is_open(moment) is (opens == moment)


@given(hours(), MOMENTS)
def test_a_moment_is_worked_where_the_clinic_is_open(clinic: WorkingHours, moment: datetime) -> None:
    tick = timedelta.resolution
    assert clinic.working_time(moment, moment + tick) == (tick if clinic.is_open(moment) else NO_TIME)


FRIDAY = Shift(BO, civil("2026-03-06T18:00"), civil("2026-03-09T08:00"), date(2026, 12, 31))


def test_who_is_on_call_every_weekend_keeps_the_wall_clocks_hours() -> None:
    for at, who in (
        ("2026-03-06T17:59", ()),
        ("2026-03-06T18:00", (BO,)),
        ("2026-03-30T07:59", (BO,)),  # the clock was put forward in this weekend
        ("2026-03-30T08:00", ()),
        ("2026-12-26T12:00", (BO,)),
        ("2027-01-02T12:00", ()),  # a week after the last one
    ):
        assert on_call([FRIDAY], OSLO, oslo(at)) == who, at


def test_a_shift_that_is_not_weekly_comes_once() -> None:
    once = Shift(BO, civil("2026-03-06T18:00"), civil("2026-03-07T08:00"))
    assert on_call([once], OSLO, oslo("2026-03-06T20:00")) == (BO,)
    assert on_call([once], OSLO, oslo("2026-03-13T20:00")) == ()
    assert on_call([once], OSLO, oslo("2026-02-27T20:00")) == ()


def test_two_at_once_are_both_on_call_and_one_with_two_shifts_only_once() -> None:
    at = oslo("2026-03-07T12:00")
    with_dee = [Shift(DEE, civil("2026-03-07T08:00"), civil("2026-03-07T18:00")), FRIDAY]
    assert on_call([*with_dee, FRIDAY], OSLO, at) == (BO, DEE)
    assert [duty.ends for duty in duties_at(with_dee, OSLO, at)] == [
        oslo("2026-03-09T08:00"),
        oslo("2026-03-07T18:00"),
    ]


def test_spans_are_whole_and_in_order() -> None:
    start = oslo("2026-03-08T12:00")
    found = spans([FRIDAY], OSLO, start, start + timedelta(days=6))
    assert found == (
        Duty(BO, oslo("2026-03-06T18:00"), oslo("2026-03-09T08:00")),
        Duty(BO, oslo("2026-03-13T18:00"), oslo("2026-03-16T08:00")),
    )


def test_a_shift_in_the_missing_hour_is_no_shift() -> None:
    gone = Shift(BO, civil("2026-03-29T02:00"), civil("2026-03-29T03:00"))
    day = oslo("2026-03-29T00:00")
    assert spans([gone], OSLO, day, day + A_DAY) == ()


@st.composite
def shifts(draw: st.DrawFn) -> Shift:
    """A shift of up to a week, once or for up to a year."""
    starts = draw(st.datetimes(datetime.fromisoformat("2011-06-01"), datetime.fromisoformat("2027-01-01")))
    length = draw(st.timedeltas(timedelta(minutes=1), timedelta(days=7)))
    weeks = draw(st.none() | st.integers(0, 52))
    return Shift(
        draw(st.sampled_from([BO, DEE])),
        starts,
        starts + length,
        None if weeks is None else starts.date() + timedelta(weeks=weeks),
    )


@given(shifts(), ZONES, st.integers(0, 60), st.timedeltas(NO_TIME, timedelta(days=7)))
def test_somebody_is_on_call_by_the_wall_clock_of_their_zone(
    shift: Shift, zone: str, week: int, into: timedelta
) -> None:
    wall = shift.starts + timedelta(weeks=week) + into
    moment = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != wall:
        return  # clocks in the zone never showed it
    last = shift.starts.date() if shift.weekly_until is None else shift.weekly_until
    comes = (shift.starts + timedelta(weeks=week)).date() <= last
    expected = comes and wall < shift.ends + timedelta(weeks=week)
    if not expected and into == timedelta(days=7):
        return  # the next week's shift begins
    assert (shift.account_id in on_call([shift], zone, moment)) is expected


@given(st.lists(shifts(), max_size=4), ZONES, MOMENTS, LENGTHS)
def test_spans_of_a_stretch_are_who_is_on_call_in_it(
    some: list[Shift], zone: str, start: datetime, length: timedelta
) -> None:
    end = start + length
    for duty in spans(some, zone, start, end):
        assert duty.starts < end
        assert start < duty.ends
        assert duty.account_id in on_call(some, zone, max(duty.starts, start))
        assert duty.account_id in on_call(some, zone, duty.ends - timedelta.resolution)


NIGHT = Quiet(OSLO, time(22), time(7))


@pytest.mark.parametrize(
    ("at", "released"),
    [
        ("2026-03-02T21:59", "2026-03-02T21:59"),
        ("2026-03-02T22:00", "2026-03-03T07:00"),
        ("2026-03-03T03:00", "2026-03-03T07:00"),
        ("2026-03-03T07:00", "2026-03-03T07:00"),
        ("2026-03-29T01:00", "2026-03-29T07:00"),  # the shorter night
    ],
)
def test_quiet_hours_hold_until_they_end_and_never_what_is_most_urgent(at: str, released: str) -> None:
    for urgency in (AlertClass.P1, AlertClass.P2, AlertClass.P3):
        assert NIGHT.released(oslo(at), urgency) == oslo(released)
    assert NIGHT.released(oslo(at), AlertClass.P0) == oslo(at)


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    nap, none = Quiet(OSLO, time(13), time(14)), Quiet(OSLO, time(13), time(13))
    at = oslo("2026-03-02T13:30")
    assert nap.released(at, AlertClass.P1) == oslo("2026-03-02T14:00")
    assert nap.released(oslo("2026-03-02T23:00"), AlertClass.P1) == oslo("2026-03-02T23:00")
    assert none.released(at, AlertClass.P1) == at


TIMES = st.times().map(lambda at: at.replace(microsecond=0))


@given(ZONES, TIMES, TIMES, MOMENTS, st.sampled_from(AlertClass))
def test_what_is_held_is_let_go_within_a_day_and_a_changed_clock(
    zone: str, begins: time, ends: time, moment: datetime, urgency: AlertClass
) -> None:
    released = Quiet(zone, begins, ends).released(moment, urgency)
    assert moment <= released <= moment + timedelta(hours=25)
