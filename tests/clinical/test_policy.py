"""A policy is complete, in bounds, and says everything that is wrong with it at once."""

import pytest

from server.clinical.policy import DEFAULT_POLICY, THRESHOLDS, PolicyError, Threshold, policy_from


def test_the_default_policy_is_version_one_and_holds_every_threshold() -> None:
    assert DEFAULT_POLICY.version == 1
    assert dict(DEFAULT_POLICY.values) == {key: t.default for key, t in THRESHOLDS.items()}


@pytest.mark.parametrize("threshold", [*THRESHOLDS.values()], ids=THRESHOLDS)
def test_every_threshold_is_within_its_own_bounds_and_says_what_it_is(threshold: Threshold) -> None:
    assert threshold.low <= threshold.default <= threshold.high
    assert threshold.low < threshold.high
    assert threshold.unit
    assert threshold.source
    assert threshold.help


def test_a_clinic_changes_one_number_and_keeps_the_rest() -> None:
    policy = policy_from(2, {"relapse.ewma_limit": 3.2})
    assert policy["relapse.ewma_limit"] == 3.2
    assert policy["relapse.ewma_lambda"] == DEFAULT_POLICY["relapse.ewma_lambda"]
    assert policy.version == 2


def test_days_are_counted_in_whole_numbers() -> None:
    days = policy_from(2, {"silence.usual_days": 6}).whole("silence.usual_days")
    assert (days, type(days)) == (6, int)
    with pytest.raises(PolicyError, match=r"6\.5 is not a whole number of days"):
        policy_from(2, {"silence.usual_days": 6.5})


def test_every_mistake_is_named_at_once() -> None:
    wrong = {"relapse.ewma_limit": 9.0, "relapse.nonsense": 1.0, "silence.usual_days": float("nan")}
    with pytest.raises(PolicyError) as caught:
        policy_from(0, {**wrong, "redflag.craving": True, "redflag.any_grade": "1"})  # type: ignore[dict-item]
    assert caught.value.problems == (
        "version: 0 is less than 1",
        "redflag.any_grade: is not a number",
        "redflag.craving: is not a number",
        "relapse.ewma_limit: 9 is outside 0..5 SE",
        "relapse.nonsense: is not a threshold",
        "silence.usual_days: is not a number",
    )


def test_bounds_themselves_are_allowed() -> None:
    for key in ("relapse.ewma_limit", "redflag.craving", "baseline.sd_floor"):
        for value in (THRESHOLDS[key].low, THRESHOLDS[key].high):
            assert policy_from(2, {key: value})[key] == value


def test_values_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(PolicyError, match=r"escalation\.p0_first_minutes: 60 is more than"):
        policy_from(2, {"escalation.p0_first_minutes": 60})
