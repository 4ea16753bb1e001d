"""Ana's benefit holds, fades, comes back: what the watch says, and when it keeps quiet."""

import json
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.detectors import RuleHit
from server.clinical.era import fit
from server.clinical.policy import DEFAULT_POLICY, policy_from
from server.clinical.readings import History, fold
from server.clinical.relapse import Assessment, Rule, verdict_on, watch, watch_days
from server.clinical.vocabulary import Arm, WatchState
from server.clinical.walk import WatchedDay
from tests.clinical.diaries import (
    ONE_SESSION,
    day,
    diary,
    joined,
    mood_day,
    pain_day,
    sessions,
    steps,
    unrest_day,
    without,
)

S = WatchState
CALM = steps((-30, 7), (0, 3))
RETURN = steps((-30, 7), (0, 3), (40, 6.5))


def on(history: History, today: int, arm: Arm = Arm.MOOD, *booster: int) -> Assessment:
    return watch(history, arm, (*ONE_SESSION, *sessions(*booster)), DEFAULT_POLICY, day(today))


def states(history: History, days: range, arm: Arm = Arm.MOOD, *booster: int) -> list[WatchState]:
    return [on(history, n, arm, *booster).state for n in days]


def first_signal(history: History, days: range, arm: Arm = Arm.MOOD) -> int | None:
    return next((n for n in days if on(history, n, arm).signal), None)


def test_without_a_session_there_is_no_baseline() -> None:
    found = watch(diary(range(30), CALM), Arm.MOOD, sessions(31), DEFAULT_POLICY, day(30))
    assert (found.state, found.signal) == (S.NO_BASELINE, False)
    assert found.text == "mood has no session to measure from"


def test_after_a_session_the_baseline_is_awaited_and_not_for_ever() -> None:
    few = diary(range(5), CALM)
    assert on(few, 10).state is S.BASELINE
    assert on(few, 37).state is S.BASELINE
    assert on(few, 38).state is S.NO_BASELINE
    assert "too few entries" in on(few, 38).text
    again = watch(few, Arm.MOOD, sessions(-30, 0), DEFAULT_POLICY, day(38))
    assert f"after the session of {day(0)} " in again.text
    assert on(few, 38).evidence["state"] == "no_baseline"


def test_a_stable_patient_is_responding_then_holding_and_never_alarms() -> None:
    history = diary(range(120), CALM)
    assert states(history, range(16, 29)) == [S.RESPONDING] * 13
    assert states(history, range(29, 120)) == [S.HOLDING] * 91
    assert first_signal(history, range(120)) is None


def test_a_clear_return_is_seen_within_a_week_and_soon_called_a_relapse() -> None:
    history = diary(range(70), RETURN)
    seen = first_signal(history, range(16, 70))
    assert seen is not None
    assert 40 < seen <= 46
    assert on(history, 60).state is S.RELAPSED
    assert on(history, 60).evidence["since"] == day(seen).isoformat()


@pytest.mark.parametrize("calm", [(2, 1, 1, 3), (1, 1, 1, 3, 3), (2, 1, 3, 1, 2)])
def test_a_week_at_the_cut_off_is_a_relapse_whatever_the_baseline_is_made_of(calm: Sequence[int]) -> None:
    # Means of such days are not exact in binary, and 5.999... is what rounding left of a pain of 6.
    days = [(calm[n % len(calm)], calm[(n + 1) % len(calm)]) for n in range(40)] + [(6, 6)] * 10
    history = fold((day(n), {"pain_average": at, "pain_interference": of}) for n, (at, of) in enumerate(days))
    assert on(history, 49, Arm.PAIN).state is S.RELAPSED


def test_one_bad_day_is_not_a_signal() -> None:
    history = diary(range(70), steps((0, 3), (40, 9), (41, 3)))
    assert first_signal(history, range(16, 70)) is None


@pytest.mark.parametrize("silence", [30, 75, 90, 120, 200])
def test_nor_is_it_one_after_months_of_silence(silence: int) -> None:
    again = 60 + silence
    history = diary([*range(-14, 60), again, again + 1], steps((-30, 7), (0, 2), (60, 8)))
    assert (on(history, again).signal, on(history, again).state) == (False, S.INSUFFICIENT_DATA)
    assert on(history, again + 1).signal, "two are"


def test_two_good_days_do_not_hide_a_bad_week() -> None:
    history = diary(range(60), steps((0, 3), (40, 6.5), (50, 3)))
    assert states(history, range(50, 52)) == [S.RELAPSED, S.RELAPSED]


def test_a_signal_ends_only_after_a_calm_week() -> None:
    history = diary(range(90), steps((0, 3), (40, 6.5), (50, 3)))
    after = states(history, range(50, 75))
    left = after.index(S.HOLDING)
    assert set(after[:left]) == {S.RELAPSED}
    assert set(after[left:]) == {S.HOLDING}
    assert left >= 7
    assert on(history, 80).evidence["since"] is None


def test_a_small_return_is_fading_not_a_relapse() -> None:
    history = diary(range(70), steps((0, 2), (40, 3.8)))
    assert on(history, 60).state is S.FADING
    assert {hit.rule for hit in on(history, 60).rules} >= {Rule.R1}


def test_losing_half_of_the_gain_is_a_relapse_for_whom_it_was_large() -> None:
    level = steps((-14, 8), (0, 1), (40, 5))
    assert on(diary(range(-14, 70), level), 60).state is S.RELAPSED
    assert on(diary(range(70), level), 60).state is S.FADING


def test_a_level_that_is_ill_in_anyone_is_a_relapse_only_where_it_is_a_rise() -> None:
    assert on(diary(range(70), steps((0, 6))), 60).state is S.HOLDING
    assert on(diary(range(70), steps((0, 3.5), (40, 6))), 60).state is S.RELAPSED


def test_unrest_alone_gives_the_first_sign() -> None:
    calm = diary(range(40), CALM, lambda s: unrest_day(s, s - 2))
    restless = diary(range(40, 60), CALM, lambda s: unrest_day(s, s + 1))
    found = on(joined(calm, restless), 55)
    assert (found.state, found.signal) == (S.FADING, True)
    assert "unrest" in {hit.series for hit in found.rules}
    assert "composite" not in {hit.series for hit in found.rules}
    assert found.text.startswith("mood unrest 7-day mean")


def test_one_item_alone_is_not_a_signal_but_two_that_agree_are() -> None:
    def worried(n: int, *items: str) -> dict[str, float]:
        quiet = {"mood": 7.0, "interest": 7.0, "sleep_quality": 7.0, "anxiety": 3.0, "worry": 2.0}
        return {**quiet, **{item: 5.0 for item in items if n >= 40}}

    one = fold((day(n), worried(n, "worry")) for n in range(70))
    two = fold((day(n), worried(n, "worry", "anxiety")) for n in range(70))
    assert first_signal(one, range(16, 70)) is None
    assert {hit.series for hit in on(two, 60).rules} >= {"worry", "anxiety"}
    assert on(two, 60).signal


def test_pain_is_watched_on_its_own_scale() -> None:
    history = diary(range(70), steps((0, 4), (40, 7)), pain_day)
    assert first_signal(history, range(16, 40), Arm.PAIN) is None
    assert on(history, 60, Arm.PAIN).state is S.RELAPSED
    low = diary(range(70), steps((0, 2), (40, 2.6)), pain_day)
    assert first_signal(low, range(16, 70), Arm.PAIN) is None


def test_a_steep_rise_of_pain_counts_by_its_share_of_the_baseline() -> None:
    history = diary(range(70), steps((0, 6.3), (40, 8.4)), pain_day)
    found = on(history, 60, Arm.PAIN)
    assert Rule.R2 in {hit.rule for hit in found.rules if hit.series == "composite"}


def test_who_came_in_the_midst_of_a_good_maintenance_is_watched() -> None:
    history = diary(range(-14, 70), steps((-14, 2), (0, 2), (40, 6)))
    assert on(history, 39).state in (S.RESPONDING, S.HOLDING)
    found = first_signal(history, range(16, 70))
    assert found is not None
    assert found < 55


def test_who_never_responded_gets_no_relapse_signal() -> None:
    history = diary(range(-14, 70), steps((-14, 7), (0, 6), (40, 9)))
    assert states(history, range(16, 70, 9)) == [S.NO_RESPONSE] * 6
    assert first_signal(history, range(16, 70)) is None


def test_too_few_entries_are_said_and_never_called_stable() -> None:
    history = without(diary(range(70), CALM), [55, 56, 58, 60])
    assert on(history, 60).state is S.INSUFFICIENT_DATA
    assert on(history, 60).evidence["missing_days"] == 4
    assert on(without(diary(range(70), CALM), [56, 58, 60]), 60).state is S.HOLDING


def test_silence_after_a_relapse_is_not_a_relapse_any_more_and_not_calm_either() -> None:
    history = diary(range(50), RETURN)
    assert on(history, 49).state is S.RELAPSED
    later = on(history, 56)
    assert (later.state, later.signal) == (S.INSUFFICIENT_DATA, False)


def test_three_bad_entries_in_a_week_still_raise_the_signal() -> None:
    history = without(diary(range(70), RETURN), [50, 51, 53, 55])
    found = on(history, 56)
    assert found.evidence["missing_days"] == 4
    assert (found.state, found.signal) == (S.RELAPSED, True)


def test_a_day_that_is_not_logged_raises_no_signal_of_its_own() -> None:
    history = without(diary(range(70), RETURN), [56])
    assert (on(history, 55).signal, on(history, 56).signal) == (True, False)
    assert on(history, 56).state is S.RELAPSED


def test_a_session_for_a_relapse_starts_a_quiet_time_from_that_very_day() -> None:
    history = diary(range(80), steps((0, 3), (40, 6.5), (50, 3)))
    assert on(history, 50, Arm.MOOD, 50).state is S.RE_TREATED
    assert set(states(history, range(50, 66), Arm.MOOD, 50)) == {S.RE_TREATED}
    assert on(history, 66, Arm.MOOD, 50).state is S.RESPONDING


def test_a_relapse_that_goes_on_after_the_quiet_time_is_seen_again() -> None:
    gone_quiet = [*range(53, 63)]
    history = without(diary(range(90), RETURN), gone_quiet)
    assert on(history, 70, Arm.MOOD, 50).state is S.RE_TREATED
    assert on(history, 72, Arm.MOOD, 50).state is S.RELAPSED


def test_a_session_while_all_is_well_changes_nothing() -> None:
    history = diary(range(60), CALM)
    assert states(history, range(40, 50), Arm.MOOD, 45) == [S.HOLDING] * 10


def test_days_right_after_a_session_are_not_judged() -> None:
    history = diary(range(60), steps((0, 3), (45, 9), (48, 3)))
    assert set(states(history, range(45, 60), Arm.MOOD, 45)) == {S.HOLDING}


def test_the_first_day_after_a_baseline_without_an_entry_is_calm() -> None:
    history = diary(range(17), CALM)
    assert on(history, 17).state is S.RESPONDING
    assert "not reported since" in on(history, 17).text
    on_the_day = watch(history, Arm.MOOD, sessions(0, 17), DEFAULT_POLICY, day(17))
    assert on_the_day.state is S.RESPONDING


def test_a_clinician_can_check_the_evidence() -> None:
    found = on(diary(range(-14, 70), RETURN), 50)
    assert found.text == (
        "mood composite 7-day mean 6.5 against own baseline 3.0 "
        "(days 3-37 after the session of 2026-05-02), 5 of 5 items up, 0 days missing, "
        "rule R3 on composite, R2 on composite, R1 on composite, R1 on anxiety, R1 on interest, "
        "R1 on mood, R1 on restlessness, R1 on sleep quality v1: relapsed"
    )
    assert json.loads(json.dumps(found.evidence)) == found.evidence
    assert found.evidence["policy_version"] == 1
    assert found.evidence["items_up"] == "5 of 5"
    assert found.evidence["baseline"] == {
        "session": "2026-05-02",
        "first_day": day(3).isoformat(),
        "last_day": day(37).isoformat(),
        "days_observed": 35,
        "pre_level": 7.0,
        "responded": True,
        "policy_version": 1,
    }


def test_a_text_about_a_week_with_few_entries_gives_the_moving_average() -> None:
    assert "moving average" in on(without(diary(range(60), CALM), range(54, 58)), 59).text


def test_a_stricter_clinic_is_warned_later() -> None:
    history = diary(range(70), steps((0, 2), (40, 3.8)))
    lax = policy_from(2, {"relapse.ewma_rise": 3, "relapse.recent_rise": 3, "relapse.items_needed": 6})
    assert on(history, 60).signal
    assert not watch(history, Arm.MOOD, ONE_SESSION, lax, day(60)).signal


def test_the_cost_of_a_day_does_not_grow_with_the_years() -> None:
    long_ago = diary(range(500), steps((0, 3), (100, 6.5), (110, 3)))
    assert on(long_ago, 499).evidence == on(without(long_ago, [*range(100, 110)]), 499).evidence


VALUES = st.lists(st.none() | st.integers(0, 10).map(float), min_size=60, max_size=60)


def _history(values: list[float | None]) -> History:
    return fold((day(n), mood_day(v)) for n, v in enumerate(values) if v is not None)


@given(VALUES, st.randoms())
def test_the_order_in_which_entries_arrive_does_not_matter(values: list[float | None], rnd: object) -> None:
    entries = [(r.day, r.items) for r in _history(values).readings]
    rnd.shuffle(entries)  # type: ignore[attr-defined]
    assert on(fold(entries), 59) == on(_history(values), 59)


@given(VALUES, st.integers(20, 59))
def test_tomorrow_does_not_change_today(values: list[float | None], today: int) -> None:
    history = _history(values)
    assert on(history, today) == on(history.between(date.min, day(today)), today)


@given(VALUES, st.sets(st.integers(1, 59), max_size=3), st.sets(st.integers(-2, 62), min_size=1))
def test_days_judged_together_are_judged_as_each_alone(
    values: list[float | None], boosters: set[int], asked: set[int]
) -> None:
    # Who answers another question on some days only has a series whose baseline is full later.
    said = ((day(n), mood_day(v) | ({"worry": v} if v % 2 else {})) for n, v in enumerate(values) if v)
    history, treatments = fold(said), (*ONE_SESSION, *sessions(*boosters))
    days = [day(n) for n in sorted(asked)]
    together = watch_days(history, Arm.MOOD, treatments, DEFAULT_POLICY, days)
    assert list(together) == [watch(history, Arm.MOOD, treatments, DEFAULT_POLICY, one) for one in days]


@given(VALUES, st.integers(0, 3), st.sets(st.integers(50, 160), min_size=2))
def test_days_far_from_the_session_are_judged_together_as_each_alone(
    values: list[float | None], worse: int, asked: set[int]
) -> None:
    # Long after the session a walk no longer begins with the baseline.
    said = [None if v is None else min(v + worse * (n > 100), 10) for n, v in enumerate([*values] * 3)]
    history, days = _history(said), [day(n) for n in sorted(asked)]
    together = watch_days(history, Arm.MOOD, ONE_SESSION, DEFAULT_POLICY, days)
    assert list(together) == [watch(history, Arm.MOOD, ONE_SESSION, DEFAULT_POLICY, one) for one in days]


@given(VALUES, st.integers(0, 59))
def test_a_signal_always_has_a_rule_and_enough_of_a_state(values: list[float | None], today: int) -> None:
    found = on(_history(values), today)
    assert found.signal == (bool(found.rules) and found.state in {S.FADING, S.RELAPSED})
    assert json.loads(json.dumps(found.evidence)) == found.evidence


@given(VALUES)
def test_the_same_value_on_every_day_never_alarms(values: list[float | None]) -> None:
    flat = fold((day(n), mood_day(4)) for n, value in enumerate(values) if value is not None)
    assert not on(flat, 59).signal


def test_in_the_quiet_time_no_rule_holds_on_days_of_before_the_session() -> None:
    history = diary(range(80), steps((0, 3), (40, 6.5), (50, 3)))
    quiet = [on(history, n, Arm.MOOD, 50) for n in range(50, 66)]
    assert {found.state for found in quiet} == {S.RE_TREATED}
    assert [found.rules for found in quiet if found.rules] == []


def test_after_a_new_session_a_day_is_full_that_has_the_items_used_since() -> None:
    since = fold(
        (r.day, {key: r.items[key] for key in ("mood", "anxiety")})
        for r in diary(range(43, 80), CALM).readings
    )
    found = on(joined(diary(range(40), CALM), since), 75, Arm.MOOD, 40)
    assert (found.state, found.evidence["missing_days"]) == (S.HOLDING, 0)


def test_a_rule_that_held_on_too_few_days_for_a_signal_is_no_judgement() -> None:
    hit = RuleHit(Rule.R2, "composite", 6.0, 5.0)
    baseline = fit(diary(range(60), CALM), Arm.MOOD, ONE_SESSION, DEFAULT_POLICY, day(59))
    assert baseline is not None
    few = int(DEFAULT_POLICY["data.min_days"]) - 1
    for state, said, expected in (
        (S.HOLDING, few, S.INSUFFICIENT_DATA),
        (S.HOLDING, few + 1, S.HOLDING),
        (S.FADING, few, S.FADING),
    ):
        last = WatchedDay(day(59), state, (hit,), None)
        found = verdict_on(day(59), last, said, baseline, DEFAULT_POLICY)
        assert (found.state, found.signal) == (expected, state is S.FADING)


def test_the_baseline_is_awaited_from_the_day_of_the_session_on() -> None:
    nothing = diary(range(0), CALM)
    assert [on(nothing, n).state for n in (-1, 0)] == [S.NO_BASELINE, S.BASELINE]


def test_an_item_that_was_not_reported_since_the_baseline_is_not_among_those_that_are_up_or_not() -> None:
    since = fold(
        (r.day, {key: value for key, value in r.items.items() if key != "anxiety"})
        for r in diary(range(30, 50), CALM).readings
    )
    assert on(joined(diary(range(17), CALM), since), 49).evidence["items_up"] == "0 of 4"
