"""When the watch asks for a scale, and when it keeps still."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from server.clinical.checkins import Anchor, ScalePlan
from server.clinical.confirming import arm_of, calls_for_a_scale, is_too_soon, wanted
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.relapse import watch
from server.clinical.vocabulary import Arm
from tests.clinical.diaries import ONE_SESSION, day, diary, steps

RETURN = steps((-30, 7), (0, 3), (40, 6.5))
NEVER_WELL = steps((-30, 7), (0, 6.5), (40, 9))


def days_that_call(symptoms: Sequence[tuple[int, float]], mood: range) -> list[int]:
    history = diary(mood, symptoms)
    judged = {n: watch(history, Arm.MOOD, ONE_SESSION, DEFAULT_POLICY, day(n)) for n in mood if n > 0}
    return [n for n, one in judged.items() if calls_for_a_scale(one)]


def test_a_return_calls_for_a_scale_before_it_is_sure_and_a_calm_day_never_does() -> None:
    history = diary(range(-20, 60), RETURN)
    signals = [
        n for n in range(20, 60) if watch(history, Arm.MOOD, ONE_SESSION, DEFAULT_POLICY, day(n)).signal
    ]
    called = days_that_call(RETURN, range(-20, 60))
    assert 40 <= called[0] <= signals[0]
    assert set(signals) <= set(called)


def test_who_did_not_respond_has_nothing_to_confirm() -> None:
    assert days_that_call(NEVER_WELL, range(-20, 60)) == []


def test_each_arm_has_its_usual_scale() -> None:
    asked = {arm: [scale.instrument for scale in wanted([], arm, DEFAULT_POLICY)] for arm in Arm}
    assert asked == {Arm.MOOD: ["phq-9"], Arm.PAIN: ["peg"]}
    assert [scale.open_days for scale in wanted([], Arm.MOOD, DEFAULT_POLICY)] == [3]


def test_what_the_care_team_plans_for_the_watch_takes_the_place_of_the_usual_scale() -> None:
    plan = [
        ScalePlan("gad-7", Anchor.WATCH, open_days=2),
        ScalePlan("pcl-5", Anchor.WATCH),
        ScalePlan("phq-2", Anchor.CALENDAR, every_days=7, first_day=day(0)),
    ]
    assert wanted(plan, Arm.MOOD, DEFAULT_POLICY) == plan[:2]
    assert [scale.instrument for scale in wanted(plan, Arm.PAIN, DEFAULT_POLICY)] == ["peg"]
    assert (arm_of("gad-7"), arm_of("nrs-11")) == (Arm.MOOD, Arm.PAIN)


@pytest.mark.parametrize(
    ("asked", "filled", "expected"),
    [
        ([], [], False),
        ([13], [], True),
        ([14, 40], [], False),
        ([], [0], True),
        ([], [1], True),
        ([], [2], False),
    ],
)
def test_it_is_not_asked_again_in_a_fortnight_nor_where_an_answer_is_fresh(
    asked: list[int], filled: list[int], expected: bool
) -> None:
    asked_on, filled_on = ([day(0) - timedelta(days=n) for n in back] for back in (asked, filled))
    assert is_too_soon(asked_on, filled_on, day(0), DEFAULT_POLICY) is expected
