"""How much of a past counts for a judgement."""

from datetime import date, timedelta

from server.clinical.baseline import Treatment
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.reach import needed, walk_start, walked_days

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


def test_the_days_around_the_last_session_and_before_the_course_count_too() -> None:
    sessions = [ago(500), ago(310), ago(300), ago(-1)]
    reach = needed(sessions, DEFAULT_POLICY, DAY, DAY)
    assert reach.treatments == tuple(Treatment(day) for day in sessions[:3])
    assert [reach.holds(ago(days)) for days in (515, 514, 500, 499)] == [False, True, True, False]
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
