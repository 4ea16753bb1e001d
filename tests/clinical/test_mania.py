"""The activation watch: what looks like a rise towards mania, what only looks so, and what is not known."""

from dataclasses import replace
from datetime import date
from math import sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical import mania
from server.clinical.mania import HOLD, SPIKE, Activation, ActivationRule, Verdict
from server.clinical.mania_levels import ActivationFacts, OwnLevels, chart
from server.clinical.policy import DEFAULT_POLICY, policy_from
from server.clinical.readings import Items, fold
from server.clinical.vocabulary import AlertClass
from tests.clinical.diaries import day, mood_day, sessions

TODAY = 40
H1, H2, H3, H4, H5 = ActivationRule
USUAL: Items = {**mood_day(3), "energy": 5, "sleep_hours": 8}


def facts(last: dict[int, Items], usual: range = range(1, TODAY - 3), **parts: Any) -> ActivationFacts:
    """Return Ana's usual days after her session, then the days ``last`` as they are given."""
    days = dict.fromkeys(usual, USUAL) | last
    history = fold((day(n), items) for n, items in days.items())
    return ActivationFacts(history, sessions(0), **parts)


def judged(last: dict[int, Items], today: int = TODAY, **parts: Any) -> Activation:
    """Return the judgement of ``today``."""
    return mania.assess(facts(last, **parts), DEFAULT_POLICY, day(today))


def verdict(found: Activation, rule: ActivationRule) -> Verdict:
    """Return what became of ``rule``."""
    return next(ruling.verdict for ruling in found.rulings if ruling.rule is rule)


def wake(hours: float, energy: float | None = 9, mood: float = 7) -> Items:
    """Return a day after a night of ``hours``."""
    items = {"sleep_hours": hours, "mood": mood}
    return items if energy is None else {**items, "energy": energy}


def digibp(high: list[int], calm: range = range(20, TODAY - 4)) -> tuple[tuple[date, float], ...]:
    """Return a digiBP mean of 0.3 on ``calm`` days and of 2 on ``high`` ones."""
    return tuple(sorted(({day(n): 0.3 for n in calm} | {day(n): 2.0 for n in high}).items()))


def test_a_usual_day_calls_for_nothing_and_looks_for_no_own_level() -> None:
    found = judged(dict.fromkeys((38, 39, 40), USUAL))
    assert (found.urgency, found.rules) == (None, ())
    assert found.evidence["levels"] == {}
    assert found.text == "No rule of activation held."


def test_two_short_nights_with_much_energy_are_shown_in_the_digest() -> None:
    found = judged({38: USUAL, 39: wake(4), 40: wake(4)})
    assert (found.urgency, found.rules) == (AlertClass.P3, (H2,))
    assert "2 of 3 logged nights under 5 h in the last 3, energy 9 (own level 5.0)" in found.text
    assert SPIKE not in found.text
    assert HOLD not in found.text


def test_who_was_flagged_at_enrolment_is_told_of_sooner() -> None:
    assert judged({39: wake(4), 40: wake(4)}, at_risk=True).urgency is AlertClass.P2


def test_with_very_high_mood_as_well_it_cannot_wait() -> None:
    found = judged({n: wake(4, mood=9) for n in (38, 39, 40)})
    assert (found.urgency, found.rules) == (AlertClass.P1, (H2, H4))
    assert found.text.endswith(HOLD)


def test_energy_far_above_the_own_level_is_high_although_it_is_not_eight() -> None:
    assert judged({39: wake(4, 7), 40: wake(4, 7)}).rules == (H2,)
    assert judged({39: wake(4, 6), 40: wake(4, 6)}).rules == ()


def test_short_nights_without_energy_are_bad_sleep_and_not_activation() -> None:
    assert verdict(judged({39: wake(4, 3), 40: wake(4, 3)}), H2) is Verdict.NOT_HELD


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({40: wake(4)}, Verdict.INSUFFICIENT_DATA),  # two nights missing
        ({38: wake(8), 40: wake(4)}, Verdict.INSUFFICIENT_DATA),  # the missing one may have been short
        ({38: wake(8), 39: wake(8), 40: wake(4)}, Verdict.NOT_HELD),
        ({39: wake(4, None), 40: wake(4, None)}, Verdict.INSUFFICIENT_DATA),  # no energy
        ({39: wake(4), 38: wake(4)}, Verdict.INSUFFICIENT_DATA),  # nothing logged today
        ({38: wake(4), 39: wake(4), 40: {"energy": 9}}, Verdict.HELD),  # a night of three may be missing
    ],
)
def test_missing_nights_are_said_and_never_taken_for_calm(last: dict[int, Items], expected: Verdict) -> None:
    found = judged(last)
    assert verdict(found, H2) is expected
    assert ("Insufficient data for H2" in found.text) is (expected is Verdict.INSUFFICIENT_DATA)


def test_without_an_own_level_only_energy_that_is_high_for_anybody_counts() -> None:
    assert judged({39: wake(4, 8), 40: wake(4, 8)}, usual=range(0)).rules == (H2,)
    found = judged({39: wake(4, 7), 40: wake(4, 7)}, usual=range(0))
    assert verdict(found, H2) is Verdict.INSUFFICIENT_DATA
    assert "own level not known" in found.text


def test_very_high_mood_counts_only_with_less_sleep_than_is_usual_for_the_patient() -> None:
    for hours, expected in ((7, Verdict.HELD), (7.5, Verdict.NOT_HELD), (9, Verdict.NOT_HELD)):
        assert verdict(judged({n: wake(hours, 5, mood=9) for n in (38, 39, 40)}), H4) is expected
    assert verdict(judged({n: wake(7, 5, mood=8) for n in (38, 39, 40)}), H4) is Verdict.NOT_HELD


def test_two_days_of_it_are_not_three() -> None:
    found = judged({39: wake(6, 5, mood=10), 40: wake(6, 5, mood=10)})
    assert verdict(found, H4) is Verdict.INSUFFICIENT_DATA
    no_level = judged({n: wake(6, 5, mood=10) for n in (38, 39, 40)}, usual=range(0))
    assert verdict(no_level, H4) is Verdict.INSUFFICIENT_DATA


def test_high_mood_on_little_sleep_soon_after_a_session_is_not_called_a_response() -> None:
    last = {n: wake(4, mood=9) for n in (8, 9, 10)}
    soon = judged(last, today=10, usual=range(-20, 0))
    assert soon.urgency is AlertClass.P1
    assert SPIKE in soon.text
    once = {8: wake(4, mood=9), 9: wake(4, mood=4), 10: wake(4, mood=4)}
    assert SPIKE in judged(once, today=10, usual=range(-20, 0)).text
    assert SPIKE not in judged({n: wake(4, mood=9) for n in (38, 39, 40)}).text, "long after the session"
    assert SPIKE not in judged({8: wake(4), 9: wake(4), 10: wake(4)}, today=10).text, "no high mood"


def test_high_mood_after_a_session_is_a_spike_only_with_little_sleep() -> None:
    high = digibp([8, 9, 10], range(-20, 7))
    found = judged({n: {**USUAL, "mood": 10} for n in (8, 9, 10)}, 10, usual=range(-20, 0), digibp=high)
    assert found.rules == (H3,)
    assert SPIKE not in found.text


@pytest.mark.parametrize("n", [0, 1])
def test_the_sessions_own_days_are_not_judged_by_sleep_energy_or_mood(n: int) -> None:
    last = {m: wake(4, mood=10) for m in (-2, -1, 0, 1)}
    found = judged(last, today=n, usual=range(-30, -4), digibp=digibp([n - 2, n - 1, n], range(-20, -6)))
    assert found.urgency is None
    for rule in (H2, H3, H4):
        assert verdict(found, rule) is Verdict.NOT_APPLIED


def test_a_filled_asrm_counts_by_itself() -> None:
    for total, urgency in ((5, None), (6, AlertClass.P1), (14, AlertClass.P1)):
        found = judged({40: USUAL}, asrm={day(TODAY): total})
        assert found.urgency is urgency
    assert verdict(judged({40: USUAL}, asrm={day(39): 20}), H1) is Verdict.NOT_APPLIED, "its own day told it"


def test_an_asrm_that_was_left_open_counts_for_what_was_answered_and_is_never_calm() -> None:
    for least, said, urgency in (
        (5, Verdict.INSUFFICIENT_DATA, None),
        (6, Verdict.HELD, AlertClass.P1),
    ):
        found = judged({40: USUAL}, asrm={day(TODAY): least}, asrm_open={day(TODAY)})
        assert (verdict(found, H1), found.urgency) == (said, urgency)
        assert f"ASRM left open, at least {least} (positive from 6)" in found.text


def test_lasting_high_spirits_count_by_themselves_and_are_named() -> None:
    found = judged({40: USUAL}, late_signs={day(TODAY): ["mania", "euphoria"]})
    assert (found.urgency, found.rules) == (AlertClass.P1, (H5,))
    assert "euphoria and mania reported" in found.text


def test_digibp_counts_where_three_of_four_days_lie_far_above_the_own_level() -> None:
    found = judged({40: USUAL}, digibp=digibp([37, 39, 40]))
    assert (found.urgency, found.rules) == (AlertClass.P3, (H3,))
    assert verdict(judged({40: USUAL}, digibp=digibp([39, 40], range(20, 39))), H3) is Verdict.NOT_HELD


def test_what_was_felt_on_a_session_s_own_days_is_no_part_of_the_own_level_of_the_digibp() -> None:
    given = (14, 17, 21, 24)
    felt = digibp([*(n + after for n in given for after in (0, 1)), 37, 39, 40], range(12, TODAY - 4))
    about = replace(facts({40: USUAL}, range(0), digibp=felt), treatments=sessions(*given))
    found = mania.assess(about, DEFAULT_POLICY, day(40))
    assert verdict(found, H3) is Verdict.HELD
    own = OwnLevels(about, DEFAULT_POLICY, day(40)).of_digibp()
    assert own is not None
    assert own.mean == pytest.approx(0.3)


def test_digibp_says_what_it_does_not_know() -> None:
    assert verdict(judged({40: USUAL}), H3) is Verdict.NOT_APPLIED
    missing_today = judged({40: USUAL}, digibp=digibp([37, 38, 39]))
    assert verdict(missing_today, H3) is Verdict.INSUFFICIENT_DATA
    no_level = judged({40: USUAL}, digibp=digibp([37, 38, 40], range(0)))
    assert verdict(no_level, H3) is Verdict.INSUFFICIENT_DATA
    fifth_day = judged({40: USUAL}, digibp=digibp([36, 39, 40]))
    assert verdict(fifth_day, H3) is Verdict.INSUFFICIENT_DATA
    two_of_two = judged({40: USUAL}, digibp=digibp([39, 40]))
    assert verdict(two_of_two, H3) is Verdict.INSUFFICIENT_DATA


def test_two_weaker_rules_together_are_more_than_one() -> None:
    last = {n: wake(6, 5, mood=9) for n in (38, 39, 40)}
    assert judged(last, digibp=digibp([37, 39, 40])).urgency is AlertClass.P2


@given(held=st.frozensets(st.sampled_from(ActivationRule)), at_risk=st.booleans())
def test_one_more_rule_or_a_known_risk_never_makes_it_less_urgent(
    held: frozenset[ActivationRule], at_risk: bool
) -> None:
    urgency = mania.urgency_of(held, at_risk)
    assert (urgency is None) == (not held)
    for rule in ActivationRule:
        more = mania.urgency_of(held | {rule}, at_risk)
        assert more is not None
        assert urgency is None or more <= urgency
    risky = mania.urgency_of(held, True)
    assert risky is None if urgency is None else risky is not None
    assert (risky or AlertClass.P3) <= (urgency or AlertClass.P3)


def test_the_own_level_is_that_of_the_frozen_baseline_and_does_not_follow_the_illness() -> None:
    rising = {n: {**USUAL, "energy": 9} for n in range(26, 41)}
    own = OwnLevels(facts(rising), DEFAULT_POLICY, day(TODAY)).of("energy")
    assert own is not None
    assert (own.mean, own.first, own.last) == (5, day(3), day(16))


def test_without_a_baseline_the_own_level_is_that_of_the_days_before() -> None:
    history = fold((day(n), {"sleep_hours": 8 if n < 37 else 4}) for n in range(5, 41))
    own = OwnLevels(ActivationFacts(history), DEFAULT_POLICY, day(TODAY)).of("sleep_hours")
    assert own is not None
    assert (own.mean, own.first, own.last, own.days) == (8, day(9), day(36), 28)


def test_an_hour_less_sleep_is_one_whatever_the_hours_are() -> None:
    # 8.2 - 7.2 is less than 1 in binary.
    usual = {n: {**USUAL, "sleep_hours": 8.2} for n in range(1, TODAY - 3)}
    for hours, expected in ((7.2, Verdict.HELD), (7.3, Verdict.NOT_HELD)):
        found = judged(usual | {n: wake(hours, mood=9) for n in (38, 39, 40)})
        assert verdict(found, H4) is expected


@pytest.mark.parametrize("usual_energy", [3.1, 3.6])
def test_two_points_more_energy_are_two_whatever_the_points_are(usual_energy: float) -> None:
    usual = {n: {**USUAL, "energy": usual_energy} for n in range(1, TODAY - 3)}
    more = wake(4, energy=usual_energy + 2)
    assert verdict(judged(usual | {39: more, 40: more}), H2) is Verdict.HELD
    less = wake(4, energy=usual_energy + 1.9)
    assert verdict(judged(usual | {39: less, 40: less}), H2) is Verdict.NOT_HELD


def test_the_spread_of_an_own_level_is_that_of_its_days() -> None:
    history = fold((day(n), {"sleep_hours": 7 if n % 2 else 9}) for n in range(9, 37))
    own = OwnLevels(ActivationFacts(history), DEFAULT_POLICY, day(TODAY)).of("sleep_hours")
    assert own is not None
    assert (own.mean, own.sd) == pytest.approx((8, sqrt(28 / 27)))


def test_an_item_that_came_later_than_the_baseline_gets_its_level_from_the_days_before() -> None:
    without = {key: value for key, value in USUAL.items() if key != "energy"}
    made = facts(dict.fromkeys(range(1, 27), without))
    own = OwnLevels(made, DEFAULT_POLICY, day(TODAY)).of("energy")
    assert own is not None
    assert own.first == day(27)


def test_the_chart_has_two_sides() -> None:
    up = chart(facts({n: wake(4, 9) for n in (38, 39, 40)}), DEFAULT_POLICY, day(TODAY))
    assert (up["energy"].side, up["sleep_hours"].side, up["mood"].side) == ("above", "below", "usual")
    assert up["sleep_hours"].last_days == {day(38): 4, day(39): 4, day(40): 4}
    assert (up["energy"].week_days, up["energy"].week_mean) == (6, 7)
    nothing = chart(ActivationFacts(fold([])), DEFAULT_POLICY, day(TODAY))["energy"]
    assert (nothing.side, nothing.week_mean, nothing.own) == ("unknown", None, None)


def test_the_evidence_holds_what_a_clinician_needs_to_check_it() -> None:
    found = judged({39: wake(4), 40: wake(4)}).evidence
    assert found["nights"] == {day(39).isoformat(): 4, day(40).isoformat(): 4}
    levels: Any = found["levels"]
    assert (levels["sleep_hours"]["own_mean"], levels["sleep_hours"]["side"]) == (8, "below")
    assert found["policy_version"] == 1
    unknown: Any = judged({39: wake(4), 40: wake(4)}, usual=range(0)).evidence["levels"]
    assert (unknown["energy"]["own_mean"], unknown["energy"]["own_first_day"]) == (None, None)


@given(st.permutations(range(1, TODAY + 1)))
def test_the_order_in_which_days_came_in_changes_nothing(order: list[int]) -> None:
    last = {39: wake(4), 40: wake(4)}
    history = fold((day(n), last.get(n, USUAL)) for n in order)
    made = replace(facts({}), history=history)
    in_order = replace(facts({}), history=fold((day(n), last.get(n, USUAL)) for n in range(1, TODAY + 1)))
    assert mania.assess(made, DEFAULT_POLICY, day(TODAY)) == mania.assess(
        in_order, DEFAULT_POLICY, day(TODAY)
    )


@given(st.dictionaries(st.integers(41, 60), st.sampled_from([wake(2, 10, 10), wake(9, 1, 1)])))
def test_what_comes_after_the_day_changes_nothing(later: dict[int, Items]) -> None:
    last = {39: wake(4), 40: wake(4)}
    assert judged(last | later) == judged(last)


def test_a_clinics_policy_moves_the_limits() -> None:
    strict = policy_from(2, {"mania.short_night_hours": 3})
    found = mania.assess(facts({39: wake(4), 40: wake(4)}), strict, day(TODAY))
    assert found.rules == ()
