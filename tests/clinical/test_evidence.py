"""What a judgement rests on: every figure of it where a clinician looks for it, and nothing made up."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from server.clinical.baseline import Baseline
from server.clinical.detectors import Mark, Rule, RuleHit
from server.clinical.evidence import Facts, describe, snapshot
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.series import Level
from server.clinical.vocabulary import Arm, WatchState
from server.clinical.walk import WatchedDay
from tests.clinical.diaries import day

OWN = Level(3.0, 1.234, 0.456, 14)
BASELINE = Baseline(
    *(Arm.MOOD, day(0), day(3), day(16), 14),
    levels={"composite": OWN, "mood": OWN, "anxiety": OWN},
    means={"composite": 3.0, "mood": 3.0, "anxiety": 3.0},
    blends={},
    pre_level=7.127,
    responded=True,
    policy_version=4,
)
HIT = RuleHit(Rule.R1, "anxiety", 5.128, 4.567)


def stood(mean: float | None, ewma: float = 3.0) -> Mark:
    return Mark(day(40), ewma, 4.321, mean)


def facts(*hits: RuleHit, state: WatchState = WatchState.FADING, **marks: Mark) -> Facts:
    last = WatchedDay(day(40), state, hits, day(38))
    return Facts(day(41), state, hits, 2, last, {"composite": stood(3.0), **marks})


def told(found: Facts) -> Mapping[str, object]:
    return snapshot(found, BASELINE, DEFAULT_POLICY)


def words(found: Facts) -> str:
    return describe(found, BASELINE, DEFAULT_POLICY)


def test_it_says_up_to_which_day_there_was_anything_to_judge_and_since_when_it_is_so() -> None:
    found = told(facts(HIT))
    assert (found["day"], found["as_of"], found["since"]) == tuple(day(n).isoformat() for n in (41, 40, 38))
    nothing = told(replace(facts(), last=None))
    assert (nothing["as_of"], nothing["since"]) == (None, None)


def test_a_series_shows_where_it_stands_beside_its_own_level() -> None:
    own = {"baseline_mean": 3.0, "baseline_sd": 1.23, "baseline_phi": 0.46, "baseline_days": 14}
    here = {"ewma": 5.13, "ewma_limit": 4.32, "mean": 5.57}
    found = told(facts(HIT, anxiety=stood(5.567, 5.128)))["series"]
    assert found == {
        "composite": own | {"ewma": 3.0, "ewma_limit": 4.32, "mean": 3.0},
        "anxiety": own | here,
    }


def test_a_series_that_was_not_reported_has_a_level_and_stands_nowhere() -> None:
    found = told(replace(facts(), marks={}))["series"]
    assert found == {
        "composite": {"baseline_mean": 3.0, "baseline_sd": 1.23, "baseline_phi": 0.46, "baseline_days": 14}
    }


def test_what_a_rule_saw_and_what_the_level_was_before_are_rounded_and_not_left_out() -> None:
    found = told(facts(HIT))
    assert found["rules"] == [{"rule": "R1", "series": "anxiety", "value": 5.13, "limit": 4.57}]
    baseline = found["baseline"]
    assert isinstance(baseline, dict)
    assert (baseline["pre_level"], baseline["responded"], baseline["policy_version"]) == (7.13, True, 4)


@pytest.mark.parametrize(
    ("mood", "anxiety", "up"),
    [
        (stood(3.5), stood(3.49), "1 of 2"),  # half a point of ten is a clear step
        (stood(None, 3.5), stood(None, 3.4), "1 of 2"),  # without a week the moving average says it
        (stood(3.4, 9.0), stood(3.0), "0 of 2"),  # and with one the week does
        (stood(2.0), stood(1.0), "0 of 2"),
    ],
)
def test_items_are_up_where_they_lie_a_clear_step_above_their_own_level(
    mood: Mark, anxiety: Mark, up: str
) -> None:
    # Interest has no level of its own: nobody knows whether it is up.
    found = facts(mood=mood, anxiety=anxiety, interest=stood(9.0))
    assert told(found)["items_up"] == up


def test_the_sentence_names_the_rule_where_there_was_one() -> None:
    start = "mood anxiety 7-day mean 5.6 against own baseline 3.0 (days 3-16 after the session of"
    assert words(facts(HIT, anxiety=stood(5.567))).startswith(start)
    assert words(facts(HIT, anxiety=stood(5.567))).endswith("2 days missing, rule R1 on anxiety v1: fading")
    assert words(facts(state=WatchState.HOLDING)).endswith("0 of 0 items up, 2 days missing: holding")


def test_the_sentence_says_by_what_it_was_measured() -> None:
    assert words(facts(composite=stood(None, 3.456))).startswith("mood composite moving average 3.5 against")
    assert words(replace(facts(), marks={})).startswith("mood composite not reported since against")


def test_who_did_not_respond_is_told_why_nothing_is_watched() -> None:
    found = words(facts(state=WatchState.NO_RESPONSE))
    assert found.endswith(": did not respond: there is nothing to lose, relapse detection is off")
