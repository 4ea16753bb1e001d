"""Where the rules of the activation watch begin and end, to the day, the hour and the point."""

from dataclasses import replace
from math import sqrt
from typing import Any

import pytest

from server.clinical import mania
from server.clinical.mania import SPIKE, ActivationRule, Verdict
from server.clinical.mania_levels import ActivationFacts, OwnLevels, chart
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.readings import Items, fold
from tests.clinical.diaries import day, sessions
from tests.clinical.test_mania import H2, H3, H4, TODAY, USUAL, digibp, facts, judged, verdict, wake

HELD, NOT_HELD, UNKNOWN, NOT_APPLIED = (
    *(Verdict.HELD, Verdict.NOT_HELD),
    *(Verdict.INSUFFICIENT_DATA, Verdict.NOT_APPLIED),
)


def high(hours: float | None, mood: float = 9) -> Items:
    """A day of very high mood; without ``hours`` of sleep where none were logged."""
    return {"mood": mood} if hours is None else wake(hours, 5, mood)


@pytest.mark.parametrize(
    ("rule", "last", "expected"),
    [
        (H2, {38: USUAL, 39: wake(5), 40: wake(5)}, NOT_HELD),  # five hours are not under five
        (H2, {37: wake(4), 38: USUAL, 39: USUAL, 40: wake(4)}, NOT_HELD),  # the fourth night back is over
        (H2, {38: wake(4), 39: wake(4), 40: {"mood": 7}}, UNKNOWN),  # today says nothing of sleep or energy
        (H4, {38: high(6, 8), 39: high(6), 40: high(6)}, NOT_HELD),  # one of three days was not so high
        (H4, {38: high(8), 39: high(6), 40: high(6)}, NOT_HELD),  # after one of three usual nights
        (H4, {38: high(None), 39: high(6), 40: high(6)}, UNKNOWN),  # one of three nights was not logged
        (H4, {38: high(6), 39: high(6), 40: high(6)}, HELD),
    ],
)
def test_a_rule_ends_where_it_says(rule: ActivationRule, last: dict[int, Items], expected: Verdict) -> None:
    assert verdict(judged(last), rule) is expected


def test_who_never_logged_anything_is_not_known_and_not_judged_calm() -> None:
    found = judged({}, usual=range(0))
    assert (found.urgency, verdict(found, H2), verdict(found, H4)) == (None, UNKNOWN, UNKNOWN)


@pytest.mark.parametrize(
    ("days", "expected"),
    [([40], UNKNOWN), ([41], NOT_APPLIED), ([9], UNKNOWN), ([8], NOT_APPLIED), ([], NOT_APPLIED)],
)
def test_a_digibp_of_the_last_month_is_one_that_is_in_use(days: list[int], expected: Verdict) -> None:
    assert verdict(judged({40: USUAL}, digibp=digibp(days, range(0))), H3) is expected


def test_a_high_day_that_is_missing_might_have_been_the_third() -> None:
    missing = judged({40: USUAL}, digibp=digibp([39, 40], range(20, 38)))
    assert verdict(missing, H3) is UNKNOWN
    tomorrow = judged({40: USUAL}, digibp=digibp([39, 40, 41], range(20, 38)))
    assert verdict(tomorrow, H3) is UNKNOWN, "what comes after the day says nothing of it"


def test_high_days_that_are_a_sessions_own_are_no_high_days() -> None:
    about = facts({40: USUAL}, digibp=digibp([37, 38, 40], range(20, 36)))
    on_their_own = mania.assess(about, DEFAULT_POLICY, day(TODAY))
    after_one = mania.assess(replace(about, treatments=sessions(0, 37)), DEFAULT_POLICY, day(TODAY))
    assert (verdict(on_their_own, H3), verdict(after_one, H3)) == (HELD, UNKNOWN)


@pytest.mark.parametrize(("after", "spike"), [(14, True), (15, False)])
def test_high_mood_may_pass_for_a_response_for_a_fortnight_after_the_newest_session(
    after: int, spike: bool
) -> None:
    last = {n: wake(4, mood=9) for n in range(after - 2, after + 1)}
    about = replace(facts(last, range(-20, 0)), treatments=sessions(-60, 0))
    found = mania.assess(about, DEFAULT_POLICY, day(after))
    assert (SPIKE in found.text) is spike


def own(about: ActivationFacts, today: int = TODAY) -> OwnLevels:
    return OwnLevels(about, DEFAULT_POLICY, day(today))


def test_the_own_digibp_is_that_of_the_days_of_the_baseline_and_its_spread_is_drawn_to_the_usual_one() -> (
    None
):
    values = tuple((day(n), 0.2 if n % 2 else 0.8) for n in range(1, 30))
    found = own(facts({}, digibp=values)).of_digibp()
    assert found is not None
    assert (found.first, found.last, found.days) == (day(3), day(16), 14)
    assert found.mean == pytest.approx(0.5)
    # Fourteen days, each 0.3 from their mean, beside six of the usual 0.4.
    assert found.sd == pytest.approx(sqrt((6 * 0.4**2 + 14 * 0.3**2) / (6 + 13)))


def test_the_spread_of_an_even_digibp_has_a_floor() -> None:
    found = own(facts({}, digibp=tuple((day(n), 0.5) for n in range(3, 17)))).of_digibp()
    assert found is not None
    assert found.sd == 0.25


@pytest.mark.parametrize(("days", "known"), [(7, True), (6, False)])
def test_seven_days_make_an_own_level_and_six_do_not(days: int, known: bool) -> None:
    history = fold((day(n), {"sleep_hours": 8}) for n in range(20, 20 + days))
    assert (own(ActivationFacts(history)).of("sleep_hours") is not None) is known


def test_the_own_level_is_that_of_the_newest_baseline() -> None:
    livelier = {n: {**USUAL, "energy": 7} for n in range(23, 60)}
    about = replace(facts(livelier, range(1, 23)), treatments=sessions(0, 20))
    found = own(about, 60).of("energy")
    assert found is not None
    assert (found.mean, found.first) == (7, day(23))


def test_the_days_of_a_session_are_no_part_of_an_own_level() -> None:
    history = fold((day(n), {"sleep_hours": 2 if n in (20, 21) else 8}) for n in range(10, 40))
    found = own(ActivationFacts(history, sessions(20))).of("sleep_hours")
    assert found is not None
    assert found.mean == 8


@pytest.mark.parametrize(("energy", "side"), [(5.9, "usual"), (6.0, "above"), (4.1, "usual"), (4.0, "below")])
def test_a_side_of_the_chart_begins_two_spreads_from_the_own_level(energy: float, side: str) -> None:
    # Even days have a spread of half a point, no less.
    last = {n: {**USUAL, "energy": energy} for n in (38, 39, 40)}
    assert chart(facts(last), DEFAULT_POLICY, day(TODAY))["energy"].side == side


def test_without_a_day_of_late_nobody_knows_the_side() -> None:
    found = chart(facts({}, range(1, 30)), DEFAULT_POLICY, day(TODAY))["energy"]
    assert (found.own is None, found.side) == (False, "unknown")


def test_the_evidence_has_the_whole_own_level() -> None:
    levels: Any = judged({39: wake(4), 40: wake(4, 8)}).evidence["levels"]
    energy = levels["energy"]
    assert {key: value for key, value in energy.items() if key.startswith("own_")} == {
        "own_mean": 5,
        "own_sd": 0,
        "own_days": 14,
        "own_first_day": day(3).isoformat(),
        "own_last_day": day(16).isoformat(),
    }
    assert (energy["week_days"], energy["week_mean"]) == (5, round((3 * 5 + 9 + 8) / 5, 2))
    assert energy["last_days"] == {day(39).isoformat(): 9, day(40).isoformat(): 8}
    unknown: Any = judged({39: wake(4), 40: wake(4)}, usual=range(0)).evidence["levels"]["energy"]
    assert (unknown["own_sd"], unknown["own_days"], unknown["own_last_day"]) == (None, 0, None)
    no_mood = judged({n: {"sleep_hours": 4, "energy": 9} for n in (39, 40)}, usual=range(0))
    quiet: Any = no_mood.evidence["levels"]
    assert (quiet["mood"]["week_mean"], quiet["mood"]["week_days"]) == (None, 0)
