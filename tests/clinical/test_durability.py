"""The response curve: what each session did, how much of it is left, and when it was lost."""

from collections.abc import Callable
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.baseline import Treatment
from server.clinical.durability import (
    CourseDiary,
    Onset,
    ResponseCurve,
    SessionCurve,
    TimedEntry,
    expected_loss,
    response_curve,
    response_curves,
    usual_loss,
)
from server.clinical.holding_time import HOLDING_PRIORS, Held, holding_time
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.readings import History, Items, fold
from server.clinical.vocabulary import Arm, Condition
from tests.clinical.diaries import (
    ONE_SESSION,
    SESSION,
    day,
    diary,
    joined,
    mood_day,
    pain_day,
    sessions,
    steps,
    without,
)

PRIOR = HOLDING_PRIORS[Condition.DEPRESSION]
ILL_BEFORE = (-14, 8)
# The last day that may be the middle of a best week: settled days, and how early it has to be.
EARLY = DEFAULT_POLICY.whole("baseline.settle_days") + DEFAULT_POLICY.whole("durability.best_days") - 1
HELD_TO_40 = steps(ILL_BEFORE, (1, 2), (40, 7))


def curve(
    history: History,
    today: int,
    treatments: tuple[Treatment, ...] = ONE_SESSION,
    timed: tuple[TimedEntry, ...] = (),
    arm: Arm = Arm.MOOD,
) -> ResponseCurve:
    return response_curve(CourseDiary(history, treatments, timed), arm, DEFAULT_POLICY, day(today))


def the_session(level: Callable[[int], float], today: int) -> SessionCurve:
    """Ana's one session with a full diary from two weeks before it until ``today``."""
    return curve(diary(range(-14, today + 1), level), today).sessions[0]


def test_a_response_that_holds_is_told_with_its_level_and_what_is_left() -> None:
    found = curve(diary(range(-14, 31), steps(ILL_BEFORE, (1, 2))), 30)
    one = found.sessions[0]
    assert found.pre_level == pytest.approx(8, abs=0.2)
    assert (one.session, one.until, one.retreated) == (SESSION, day(30), False)
    assert one.best_level == pytest.approx(2, abs=0.3)
    assert (one.responded, one.held) == (True, Held(30))
    assert one.retained is not None
    assert one.retained.percent == pytest.approx(100, abs=5)
    assert 80 < one.retained.low < one.retained.percent < one.retained.high < 115
    assert one.fade_per_week == pytest.approx(0, abs=0.2)


def test_half_is_lost_within_a_day_of_when_it_was() -> None:
    found = the_session(HELD_TO_40, 60)
    assert found.held == Held(40, 41)
    assert found.retained is not None
    assert found.retained.percent == pytest.approx(100 / 6, abs=3)
    assert found.fade_per_week is not None
    assert found.fade_per_week > 1
    assert found.fade_per_week == the_session(HELD_TO_40, 44).fade_per_week, "what came later slows no fall"


def test_a_slow_return_is_told_with_its_speed() -> None:
    found = the_session(lambda n: 8 if n <= 0 else 2 + max(0, n - 20) / 7, 44)
    assert found.fade_per_week == pytest.approx(1, abs=0.15)
    assert found.held is not None
    assert found.held.lost_by == pytest.approx(41, abs=2)


def test_one_bad_week_that_passes_is_no_loss() -> None:
    found = the_session(steps(ILL_BEFORE, (1, 2), (30, 7), (35, 2)), 60)
    assert found.held == Held(60)


def test_no_response_is_said_and_nothing_is_left_to_lose() -> None:
    found = the_session(steps(ILL_BEFORE, (1, 6)), 60)
    assert found.responded is False
    assert found.best_level == pytest.approx(6, abs=0.3)
    assert (found.onset, found.retained, found.held, found.fade_per_week) == (None, None, None, None)


def test_who_was_well_already_before_the_course_shows_no_response_and_is_not_said_to_lack_one() -> None:
    found = the_session(steps((-14, 2), (1, 2)), 60)
    assert (found.responded, found.held) == (None, None)
    assert found.best_level == pytest.approx(2, abs=0.3)
    assert the_session(steps((-14, 3.9), (1, 3.9)), 60).responded is None
    assert the_session(steps((-14, 4.2), (1, 4.2)), 60).responded is False
    assert the_session(steps((-14, 3.5), (1, 1)), 60).responded is True


def test_too_few_days_say_nothing() -> None:
    level = steps(ILL_BEFORE, (1, 2))
    nothing_before = curve(diary(range(30), level), 29)
    assert nothing_before.pre_level is None
    assert nothing_before.sessions == (SessionCurve(SESSION, day(29), False),)
    without_an_item_in_common = joined(
        fold((day(n), {"mood": 2.0} if n % 2 else {"anxiety": 8.0}) for n in range(-4, 0)),
        diary(range(30), level),
    )
    assert curve(without_an_item_in_common, 29).pre_level is None
    few_after = curve(diary([*range(-14, 0), 4, 5, 6], level), 29).sessions[0]
    assert (few_after.best_level, few_after.responded, few_after.held) == (None, None, None)
    assert curve(diary(range(-14, 0), level), 29).sessions[0].responded is None


def test_without_a_session_there_is_no_curve() -> None:
    assert curve(diary(range(-14, 30), HELD_TO_40), 29, ()) == ResponseCurve(Arm.MOOD, None, ())
    assert curve(diary(range(-14, 30), HELD_TO_40), -1) == ResponseCurve(Arm.MOOD, None, ())


def test_silence_after_a_response_is_neither_holding_nor_lost() -> None:
    found = curve(diary(range(-14, 21), steps(ILL_BEFORE, (1, 2))), 60).sessions[0]
    assert found.held == Held(20)
    assert found.retained is None
    assert found.fade_per_week is None


def test_a_loss_within_a_gap_lies_somewhere_in_it() -> None:
    gap = without(diary(range(-14, 71), HELD_TO_40), range(30, 50))
    assert curve(gap, 70).sessions[0].held == Held(29, 50)


def test_a_session_before_the_loss_cuts_the_holding_time_off() -> None:
    history = diary(range(-14, 61), steps(ILL_BEFORE, (1, 2)))
    first, second = curve(history, 60, sessions(0, 28)).sessions
    assert (first.until, first.retreated, first.held) == (day(27), True, Held(27))
    assert (second.session, second.retreated, second.held) == (day(28), False, Held(32))


def test_the_pain_arm_has_its_own_items_and_its_own_response() -> None:
    history = diary(range(-14, 31), steps(ILL_BEFORE, (1, 5)), pain_day)
    found = curve(history, 30, arm=Arm.PAIN).sessions[0]
    assert found.responded is True
    assert found.best_level == pytest.approx(5, abs=0.3)
    one_item = fold((r.day, {"pain_average": r.items["pain_average"]}) for r in history.readings)
    wider, two = curve(one_item, 30, arm=Arm.PAIN).sessions[0].retained, found.retained
    assert wider is not None
    assert two is not None
    assert wider.high - wider.low > two.high - two.low


def entry(hours: float, items: Items) -> TimedEntry:
    return TimedEntry(SESSION, hours, items)


def test_the_onset_is_told_in_days_and_where_entries_allow_in_hours() -> None:
    history = diary(range(-14, 31), steps(ILL_BEFORE, (5, 2)))
    well, ill = mood_day(2), mood_day(8)
    assert curve(history, 30).sessions[0].onset == Onset(5)
    timed = (entry(30, well), entry(4.5, well), entry(2, ill), entry(1, {"pain_average": 0.0}))
    assert curve(history, 30, timed=timed).sessions[0].onset == Onset(0, 4.5)
    late = (entry(150, well), entry(2, ill))
    assert curve(history, 30, timed=late).sessions[0].onset == Onset(5)
    last_hour, too_late = (curve(history, 30, timed=(entry(n, well),)).sessions[0].onset for n in (120, 144))
    assert (last_hour, too_late) == (Onset(5, 120), Onset(5))
    other = (TimedEntry(day(-30), 3, well), entry(24 * 31, well))
    assert curve(history, 30, timed=other).sessions[0].onset == Onset(5)


def test_half_of_the_level_before_is_a_response_and_its_onset() -> None:
    def exactly(at: float) -> SessionCurve:
        days = ((day(n), mood_day(8 if n < 1 else at)) for n in range(-14, 31))
        return curve(fold(days), 30).sessions[0]

    assert (exactly(4).responded, exactly(4).onset) == (True, Onset(1))
    assert (exactly(4.1).responded, exactly(4.1).onset) == (False, None)


def test_what_comes_after_the_day_is_not_known_on_it() -> None:
    whole = diary(range(-14, 61), HELD_TO_40)
    assert curve(whole, 30, sessions(0, 50)) == curve(whole.between(day(-14), day(30)), 30)


def test_the_end_of_the_benefit_is_expected_from_all_courses() -> None:
    old = response_curve(
        CourseDiary(diary(range(-114, -39), lambda n: HELD_TO_40(n + 100)), sessions(-100)),
        Arm.MOOD,
        DEFAULT_POLICY,
        day(-40),
    )
    new = curve(diary(range(-14, 31), steps(ILL_BEFORE, (1, 2))), 30)
    found = expected_loss([new, old], PRIOR, DEFAULT_POLICY)
    assert found is not None
    assert (found.time.lost, found.time.censored, found.cohort) == (1, 0, PRIOR.source)
    assert 30 < found.time.low < found.time.median < found.time.high
    assert found == expected_loss([old, new], PRIOR, DEFAULT_POLICY)
    alone = expected_loss([new], PRIOR, DEFAULT_POLICY)
    assert alone is not None
    assert alone.time.median > found.time.median


def test_what_is_usual_does_not_move_while_the_benefit_holds() -> None:
    holds = steps(ILL_BEFORE, (1, 2))
    sooner, later = (curve(diary(range(-14, today + 1), holds), today) for today in (30, 60))
    assert usual_loss([sooner], PRIOR, DEFAULT_POLICY) == usual_loss([later], PRIOR, DEFAULT_POLICY)
    now = [expected_loss([one], PRIOR, DEFAULT_POLICY) for one in (sooner, later)]
    usual = usual_loss([later], PRIOR, DEFAULT_POLICY)
    assert now[0]
    assert now[1]
    assert usual
    assert usual.median < now[0].median < now[1].median


def two_courses(history: History, second: int, today: int) -> tuple[ResponseCurve, ...]:
    """Courses of one session each, on day 0 and on day ``second``."""
    days = (day(0), day(second))
    first, later = (CourseDiary(history, (Treatment(d),), others=days) for d in days)
    return response_curves([(first, day(today)), (later, day(today))], Arm.MOOD, DEFAULT_POLICY)


def test_a_course_that_begins_while_the_benefit_holds_goes_on_from_there() -> None:
    first, second = two_courses(diary(range(-14, 61), steps(ILL_BEFORE, (1, 2))), 30, 60)
    assert (first.sessions[0].until, first.sessions[0].retreated) == (day(29), True)
    assert (second.began, second.pre_level) == (SESSION, first.pre_level)
    assert (second.sessions[0].responded, second.sessions[0].held) == (True, Held(30))


@pytest.mark.parametrize("level", [steps(ILL_BEFORE, (1, 2), (20, 8), (46, 2)), steps(ILL_BEFORE, (46, 2))])
def test_a_course_after_a_lost_or_missing_benefit_has_its_own_days_before(
    level: Callable[[int], float],
) -> None:
    _, second = two_courses(diary(range(-14, 71), level), 45, 70)
    assert second.began == day(45)
    assert second.pre_level == pytest.approx(8, abs=0.2)
    assert second.sessions[0].responded is True


def test_without_a_session_there_is_nothing_to_go_on_from() -> None:
    history = diary(range(-14, 61), steps(ILL_BEFORE, (1, 2)))
    none = CourseDiary(history, ())
    one = CourseDiary(history, ONE_SESSION)
    courses = [(none, day(60)), (one, day(60)), (none, day(60))]
    assert [c.began for c in response_curves(courses, Arm.MOOD, DEFAULT_POLICY)] == [None, SESSION, None]


def test_what_is_lost_or_never_came_is_not_forecast() -> None:
    lost = curve(diary(range(-14, 61), HELD_TO_40), 60)
    never = curve(diary(range(-14, 61), steps(ILL_BEFORE)), 60)
    for curves in ([lost], [never], []):
        assert expected_loss(curves, PRIOR, DEFAULT_POLICY) is None


LEVELS = st.lists(st.integers(0, 10), min_size=40, max_size=60)


def told(levels: list[int]) -> dict[date, Items]:
    """A diary from two ill weeks before the session on, with these levels from the session on."""
    ill = {day(n): mood_day(8) for n in range(-14, 0)}
    return ill | {day(n): mood_day(level) for n, level in enumerate(levels)}


def session_of(days: dict[date, Items]) -> SessionCurve:
    return curve(fold(days.items()), 59).sessions[0]


@given(LEVELS, st.randoms(use_true_random=False))
def test_the_order_of_the_entries_does_not_matter(levels: list[int], random: Random) -> None:
    entries = list(told(levels).items())
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert session_of(dict(shuffled)) == session_of(dict(entries))


@given(st.lists(st.tuples(st.integers(-14, 59), st.integers(0, 10)), max_size=120), st.randoms())
def test_late_entries_change_the_curve_the_same_way_whenever_they_come(
    entries: list[tuple[int, int]], random: Random
) -> None:
    def drawn(told: list[tuple[int, int]]) -> ResponseCurve:
        timed = tuple(entry(24.0 * n + level, mood_day(level)) for n, level in told if n >= 0 and level)
        whole = fold([*told_before.items(), *((day(n), mood_day(level)) for n, level in told)])
        return curve(whole, 59, sessions(0, 30), timed)

    told_before = told([2] * 60)
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert drawn(shuffled) == drawn(entries)


@given(st.lists(st.integers(2, 10), min_size=40, max_size=56), st.data())
def test_more_benefit_never_shortens_the_holding_time(levels: list[int], data: st.DataObject) -> None:
    # The best week is the same in both; later days are as good or better, and never better than that.
    better = [data.draw(st.integers(2, level)) for level in levels]
    best = [2] * 10
    worse, more = session_of(told(best + levels)).held, session_of(told(best + better)).held
    assert worse is not None
    assert more is not None
    assert (more.lost_by or 1000) >= (worse.lost_by or 1000)
    assert more.until >= worse.until or more.lost_by is None


def test_a_session_of_today_is_on_the_curve_and_one_of_tomorrow_is_not() -> None:
    history = diary(range(-14, 31), steps(ILL_BEFORE, (1, 2)))
    found = curve(history, 30, sessions(0, 30, 31)).sessions
    assert [one.session for one in found] == [day(0), day(30)]


def test_a_session_of_another_course_ends_what_is_a_sessions_own_only_once_it_was() -> None:
    history = diary(range(-14, 31), steps(ILL_BEFORE, (1, 2)))
    for other, until, retreated in ((31, 30, False), (30, 29, True)):
        course = CourseDiary(history, ONE_SESSION, others=(day(other),))
        one = response_curve(course, Arm.MOOD, DEFAULT_POLICY, day(30)).sessions[0]
        assert (one.until, one.retreated) == (day(until), retreated)


def test_three_days_before_a_course_say_how_it_was_and_two_do_not() -> None:
    level = steps(ILL_BEFORE, (1, 2))
    three, two = (curve(diary([*range(-n, 0), *range(31)], level), 30) for n in (3, 2))
    assert three.pre_level is not None
    assert three.sessions[0].responded is True
    assert two.pre_level is None


@pytest.mark.parametrize(("middle", "best"), [(EARLY, 2.0), (EARLY + 1, 18 / 7)])
def test_the_best_week_is_looked_for_early(middle: int, best: float) -> None:
    low = range(middle - 3, middle + 4)
    days = ((day(n), mood_day(8 if n < 1 else 2 if n in low else 6)) for n in range(-14, middle + 20))
    found = curve(fold(days), middle + 19).sessions[0].best_level
    assert found == pytest.approx(best)


def test_who_was_just_ill_enough_before_may_be_said_to_lack_a_response() -> None:
    days = ((day(n), mood_day(4)) for n in range(-14, 31))
    assert curve(fold(days), 30).sessions[0].responded is False


def test_the_speed_of_a_fall_takes_in_the_three_days_after_it() -> None:
    speeds = [the_session(HELD_TO_40, n).fade_per_week for n in (43, 44, 45)]
    assert speeds[0] != speeds[1] == speeds[2]


def test_the_day_of_the_session_itself_shows_no_onset() -> None:
    days = ((day(n), mood_day(2 if n == 0 or n >= 5 else 8)) for n in range(-14, 31))
    assert curve(fold(days), 30).sessions[0].onset == Onset(5)


def test_an_onset_in_the_last_hour_of_its_day_is_of_that_day() -> None:
    history = diary(range(-14, 31), steps(ILL_BEFORE, (5, 2)))
    assert curve(history, 30, timed=(entry(143, mood_day(2)),)).sessions[0].onset == Onset(5, 143)


def test_sessions_that_did_nothing_are_no_times_that_a_benefit_held() -> None:
    level = steps(ILL_BEFORE, (31, 2))
    found = usual_loss([curve(diary(range(-14, 61), level), 60, sessions(0, 30))], PRIOR, DEFAULT_POLICY)
    assert found is not None
    assert (found.session, found.time) == (day(30), holding_time([], PRIOR, DEFAULT_POLICY, 0))


def test_a_course_goes_on_from_the_last_session_of_the_one_before_it() -> None:
    history = diary(range(-14, 121), steps(ILL_BEFORE, (1, 2)))
    every = (day(0), day(30), day(60), day(90))
    courses = [CourseDiary(history, sessions(*days), others=every) for days in ((0, 30), (60,), (90,))]
    found = response_curves([(one, day(120)) for one in courses], Arm.MOOD, DEFAULT_POLICY)
    assert [one.began for one in found] == [SESSION] * 3


def test_a_course_does_not_go_on_from_one_that_was_lost_before_the_last() -> None:
    level = steps(ILL_BEFORE, (1, 2), (20, 8), (46, 2))
    every = (day(0), day(45), day(75))
    courses = [CourseDiary(diary(range(-14, 106), level), (Treatment(d),), others=every) for d in every]
    found = response_curves([(one, day(105)) for one in courses], Arm.MOOD, DEFAULT_POLICY)
    assert [one.began for one in found] == [day(0), day(45), day(45)]
