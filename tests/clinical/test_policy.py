"""A policy is complete, in bounds, and says everything that is wrong with it at once."""

import pytest

from server.clinical.policy import (
    DEFAULT_POLICY,
    PATIENT_FAMILIES,
    THRESHOLDS,
    PolicyError,
    for_patient,
    policy_from,
)


def test_the_default_policy_is_version_one_and_holds_every_threshold() -> None:
    assert DEFAULT_POLICY.version == 1
    assert dict(DEFAULT_POLICY.values) == {key: t.default for key, t in THRESHOLDS.items()}


def test_every_threshold_is_within_its_own_bounds_and_says_what_it_is() -> None:
    for threshold in THRESHOLDS.values():
        assert threshold.low <= threshold.default <= threshold.high, threshold
        assert threshold.low < threshold.high, threshold
        assert threshold.unit, threshold
        assert threshold.source, threshold
        assert threshold.help, threshold


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


def test_a_baseline_that_could_never_be_full_is_refused() -> None:
    longest = {"baseline.window_days": 28, "baseline.latest_days": 30}
    assert policy_from(2, longest)
    problem = r"^baseline\.window_days: 28 days from day 4 on end on day 31, after baseline\.latest_days 30$"
    with pytest.raises(PolicyError, match=problem):
        policy_from(2, {**longest, "baseline.settle_days": 4})
    with pytest.raises(PolicyError, match=r"28 days from day 3 on end on day 30, .*latest_days 21"):
        for_patient(policy_from(2, {"baseline.window_days": 28}), 1, {"baseline.latest_days": 21})


def test_what_was_taken_once_is_a_policy_for_ever() -> None:
    stored = {"baseline.window_days": 28, "baseline.max_days": 7, "relapse.ewma_limit": 99, "no.such": 1}
    with pytest.raises(PolicyError):
        policy_from(2, stored)
    kept = policy_from(2, stored, kept=True)
    assert (kept["baseline.window_days"], kept["baseline.max_days"], kept["relapse.ewma_limit"]) == (
        28,
        7,
        99,
    )
    assert kept.values.keys() == THRESHOLDS.keys()
    own = for_patient(kept, 3, {"baseline.window_days": 27, "alert.no_such": 1}, kept=True)
    assert (own["baseline.window_days"], own.patient_version) == (27, 3)


def test_days_before_treatment_that_could_never_be_enough_are_refused() -> None:
    with pytest.raises(PolicyError, match=r"baseline\.pre_min_days: 4 is more than baseline\.pre_days 3"):
        policy_from(2, {"baseline.pre_days": 3, "baseline.pre_min_days": 4})


def test_what_is_wrong_by_itself_does_not_hide_what_contradicts_the_rest() -> None:
    with pytest.raises(PolicyError) as caught:
        policy_from(2, {"relapse.ewma_limit": 10**400, "relapse.enter_hits": 7})
    assert [(one.key, one.other) for one in caught.value.found] == [
        ("relapse.ewma_limit", None),
        ("relapse.enter_hits", "relapse.enter_days"),
    ]
    assert str(caught.value) == (
        "relapse.ewma_limit: that is outside 0..5 SE; relapse.enter_hits: 7 is more than relapse.enter_days 1"
    )


def test_one_patients_values_lie_over_the_clinics_and_both_versions_are_named() -> None:
    clinic = policy_from(4, {"silence.usual_days": 6, "relapse.ewma_limit": 3.2})
    own = for_patient(clinic, 2, {"silence.usual_days": 9})
    assert (own.version, own.patient_version, clinic.patient_version) == (4, 2, 0)
    assert (own["silence.usual_days"], own["relapse.ewma_limit"]) == (9, 3.2)
    assert clinic["silence.usual_days"] == 6, "nobody else's policy changes"


def test_one_patients_values_may_contradict_only_what_the_clinic_has() -> None:
    assert for_patient(policy_from(2, {"silence.usual_days": 9}), 1, {"silence.short_days": 7})
    with pytest.raises(PolicyError, match=r"silence\.short_days: 7 is more than silence\.usual_days 5"):
        for_patient(DEFAULT_POLICY, 1, {"silence.short_days": 7})


@pytest.mark.parametrize("key", ["redflag.craving", "escalation.p0_first_minutes", "replay.follow_days"])
def test_what_cannot_wait_and_how_long_people_have_is_the_same_for_everybody(key: str) -> None:
    with pytest.raises(PolicyError, match="is the same for every patient of the clinic"):
        for_patient(DEFAULT_POLICY, 1, {key: THRESHOLDS[key].default})


def test_every_family_a_patient_may_have_otherwise_has_thresholds() -> None:
    assert {key.partition(".")[0] for key in THRESHOLDS} >= PATIENT_FAMILIES
