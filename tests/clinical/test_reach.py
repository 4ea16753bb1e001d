"""How much of a past counts for a judgement."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from server.clinical.baseline import Treatment
from server.clinical.policy import DEFAULT_POLICY, policy_from
from server.clinical.reach import needed, walk_start, walked_days
from server.clinical.readings import History
from server.clinical.relapse import Assessment, watch
from server.clinical.vocabulary import Arm, WatchState
from server.clinical.walk import ALARMED
from tests.clinical.diaries import day, diary, steps

DAY = date(2025, 6, 1)


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


def test_without_sessions_the_window_of_the_watch_counts_alone() -> None:
    reach = needed([], DEFAULT_POLICY, DAY, DAY)
    assert (reach.ranges, reach.treatments) == (((ago(83), DAY),), ())
    assert reach.holds(ago(83))
    assert not reach.holds(ago(84))


def test_a_walk_begins_with_the_era_and_later_a_fortnight_on_for_each_fortnight() -> None:
    starts = [(DAY - walk_start(ago(age), DAY, DEFAULT_POLICY)).days for age in (0, 69, 82, 83, 96, 97, 700)]
    assert starts == [0, 69, 82, 69, 82, 69, 70]
    assert max(starts) < walked_days(DEFAULT_POLICY)


def test_the_days_around_the_first_and_the_last_session_and_before_the_course_count_too() -> None:
    sessions = [ago(500), ago(310), ago(300), ago(-1)]
    reach = needed(sessions, DEFAULT_POLICY, DAY, DAY)
    assert reach.treatments == tuple(Treatment(day) for day in sessions[:3])
    assert [reach.holds(ago(days)) for days in (515, 514, 412, 411)] == [False, True, True, False]
    # A baseline is full by day 60 after its session, and grows by four weeks at most.
    assert [reach.holds(ago(days)) for days in (311, 310, 212, 211, 83)] == [False, True, True, False, True]


def test_a_session_inside_the_judged_days_counts_with_the_days_before_it() -> None:
    reach = needed([ago(5)], DEFAULT_POLICY, ago(10), DAY)
    assert reach.treatments == (Treatment(ago(5)),)
    assert reach.holds(ago(19))


def test_what_was_said_of_days_that_do_not_count_is_left_out() -> None:
    reach = needed([ago(500)], DEFAULT_POLICY, DAY, DAY)
    said = [(ago(days), days) for days in (600, 499, 300, 83, 0)]
    assert [days for _, days in reach.within(said)] == [499, 83, 0]
    assert reach.within(said[3:]) == said[3:]


def test_sessions_within_the_days_that_are_walked_count_however_many_a_policy_walks() -> None:
    sessions = [ago(500), *map(ago, range(240, 0, -7))]
    far = policy_from(2, {"relapse.window_days": 200})
    walked = {Treatment(day) for day in sessions if day >= ago(walked_days(far))}
    assert walked <= {*needed(sessions, far, DAY, DAY).treatments}


def judged_on(history: History, sessions: Sequence[date], today: date) -> tuple[object, object]:
    """Return what is said of a day from what is in reach, and from everything."""
    reach = needed(sessions, DEFAULT_POLICY, today, today, history.readings[0].day)
    near = History(tuple(r for r in history.readings if reach.holds(r.day)))
    every = tuple(map(Treatment, sessions))
    return (
        watch(near, Arm.MOOD, reach.treatments, DEFAULT_POLICY, today),
        watch(history, Arm.MOOD, every, DEFAULT_POLICY, today),
    )


@pytest.mark.parametrize(
    "sessions",
    [
        pytest.param(range(0, 400, 7), id="weekly"),
        pytest.param(range(0, 400, 14), id="every fortnight"),
        pytest.param([*range(0, 120, 7), *range(150, 400, 7)], id="weekly with a break"),
        pytest.param([0, 150, 300], id="twice a year"),
    ],
)
def test_what_is_in_reach_is_enough_for_the_baseline_that_is_in_force(sessions: Sequence[int]) -> None:
    history = diary(range(-20, 400), steps((-30, 7), (0, 3), (360, 6)))
    given = [*map(day, sessions)]
    for n in range(0, 400, 5):
        near, every = judged_on(history, given, day(n))
        assert near == every, n


def test_whoever_comes_in_the_midst_of_weekly_sessions_is_measured_from_there_on() -> None:
    history = diary(range(100, 400), steps((100, 3), (360, 6)))
    given = [*map(day, range(0, 400, 7))]
    for n in range(100, 400, 5):
        near, every = judged_on(history, given, day(n))
        assert near == every, n
    assert isinstance(every, Assessment)
    assert every.evidence["baseline"]["session"] == day(98).isoformat()  # type: ignore[index]
    assert every.state in ALARMED | {WatchState.RE_TREATED}


def test_days_before_the_first_entry_still_know_the_session_before_them() -> None:
    reach = needed([ago(20), ago(10), ago(3)], DEFAULT_POLICY, ago(15), DAY, ago(2))
    assert reach.treatments == tuple(map(Treatment, (ago(20), ago(10), ago(3))))


def test_an_entry_of_long_before_the_first_session_leaves_the_sessions_as_they_are() -> None:
    history = diary([-300, *range(-20, 400)], steps((-300, 7), (0, 3), (360, 6)))
    given = [*map(day, range(0, 400, 7))]
    for n in range(0, 400, 25):
        near, every = judged_on(history, given, day(n))
        assert near == every, n


def test_days_after_a_booster_that_were_not_logged_leave_the_baseline_of_the_one_before_in_force() -> None:
    logged = [*range(-20, 200), *range(330, 400)]
    history = diary(logged, steps((-30, 7), (0, 3), (360, 6)))
    near, every = judged_on(history, [day(0), day(200)], day(380))
    assert near == every
