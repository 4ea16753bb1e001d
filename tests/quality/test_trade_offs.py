"""What a missed target would cost: the same targets, asked at other limits."""

from datetime import timedelta

import pytest

from server.clinical.policy import DEFAULT_POLICY
from server.clinical.vocabulary import Arm
from server.quality.cases import CURVE, WATCH, Case, Cases
from server.quality.figures import Truth
from server.quality.real_diaries import DAY_ZERO
from server.quality.replay import Alarm, Replay
from server.quality.trade_offs import (
    FACTORS,
    UNREST_FACTORS,
    limits,
    limits_knowing,
    prices,
    rows,
    swept,
    swept_unrest,
    through,
    unrest,
)

STABLE = Truth(DAY_ZERO, DAY_ZERO + timedelta(90), None, None)
ILL = Truth(DAY_ZERO, DAY_ZERO + timedelta(90), DAY_ZERO + timedelta(40), DAY_ZERO + timedelta(41))


def said(*days: int) -> Replay:
    return Replay(Arm.MOOD, None, tuple(Alarm(DAY_ZERO + timedelta(days=n), (), "") for n in days), 60, 0)


def curve(found_from: float, false_from: float) -> list[Case]:
    """One patient of each kind: the relapse is found, and a calm day alarmed, at factors up to these."""
    ill = {limits(f): said(42) if f <= found_from else said() for f in FACTORS}
    stable = {limits(f): said(50) if f <= false_from else said() for f in FACTORS}
    return [(STABLE, stable), (ILL, ill)]


def test_wider_limits_stay_within_their_bounds() -> None:
    assert swept(1.0).values == DEFAULT_POLICY.values
    assert swept(1.2)["relapse.ewma_rise"] == pytest.approx(1.2 * DEFAULT_POLICY["relapse.ewma_rise"])
    assert swept(0.7)["relapse.absolute_mood"] == DEFAULT_POLICY["relapse.absolute_mood"]


def test_the_limits_of_unrest_move_alone() -> None:
    moved = swept_unrest(0.8)
    changed = {key for key, value in moved.values.items() if value != DEFAULT_POLICY[key]}
    assert changed == {"relapse.unrest_limit", "relapse.unrest_recent_limit"}
    assert 1.0 in UNREST_FACTORS
    assert 1.0 in FACTORS


def test_a_missed_target_names_the_nearest_limits_that_reach_it_and_what_is_missed_then() -> None:
    missed: Cases = {
        "reference": [(STABLE, {WATCH: said()}), (ILL, {WATCH: said()})],
        f"{CURVE}reference": curve(found_from=0.8, false_from=0.7),
    }
    assert next(prices(missed)) == (
        "simulator, reference (relapses found): reached with limits times 0.8. "
        "All that is missed then: nothing."
    )
    dear = {**missed, f"{CURVE}reference": curve(found_from=0.8, false_from=0.8)}
    assert "times 0.8. All that is missed then: simulator, reference (stable patients falsely" in next(
        prices(dear)
    )


def test_a_target_out_of_reach_and_one_of_chance_are_told_as_such() -> None:
    watch: list[Case] = [(STABLE, {WATCH: said()}), (ILL, {WATCH: said()})]
    never: Cases = {"reference": watch, f"{CURVE}reference": curve(0.0, 0.0)}
    assert "no column reaches it" in next(prices(never))
    chance: Cases = {"reference": watch, f"{CURVE}reference": curve(1.4, 0.0)}
    assert "a matter of chance" in next(prices(chance))


def test_what_is_reached_or_was_not_swept_has_no_price() -> None:
    reached: Cases = {
        "reference": [(STABLE, {WATCH: said()}), (ILL, {WATCH: said(42)})],
        f"{CURVE}reference": curve(0.7, 0.0),
    }
    assert list(prices(reached)) == []
    assert list(prices({"reference": [(ILL, {WATCH: said()})]})) == []


def test_a_setting_that_a_heading_does_not_have_leaves_it_out() -> None:
    cases: Cases = {
        f"{CURVE}reference": curve(1.4, 0.0),
        f"{CURVE}eight": [(STABLE, {unrest(0.9): said(50)})],
    }
    assert list(through(cases, limits(1.0))) == ["reference"]
    assert rows(cases, [unrest(0.9)]) == [
        ("simulator, all eight items: stable patients falsely alarmed in 90 days", ["100.0 %"])
    ]
    assert rows(cases, [limits_knowing(1.0)]) == []
