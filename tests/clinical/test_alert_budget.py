"""How many alerts are expected, which rules take too much of that, and which are too often wrong."""

from collections.abc import Mapping
from math import sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.alert_budget import (
    Budget,
    RuleLoad,
    Spoken,
    Stretch,
    budget,
    precision,
    wilson,
)
from server.clinical.policy import DEFAULT_POLICY, policy_from
from server.clinical.vocabulary import AlertClass, Outcome, Usefulness

P0, P1, P2, P3 = AlertClass
USEFUL, NOISE = Usefulness
RULE = "R2:composite"
# A hundred patients all the time: the policy's numbers are what is expected a week.
HUNDRED = Stretch(weeks=8, patient_weeks=800, clinicians=4)
OFTEN = Spoken(P2, (RULE,))


def spoken(outcome: Outcome | None = None, **words: Usefulness) -> Spoken:
    said = {RULE: words["word"]} if words else {}
    return Spoken(P2, (RULE,), outcome, said)


def the_rule(
    *found: Spoken, stretch: Stretch = HUNDRED, values: Mapping[str, float] | None = None
) -> RuleLoad:
    (rule,) = budget(found, stretch, policy_from(1, values or {})).rules
    return rule


def figures(**parts: Any) -> Budget:
    alerts = [*[OFTEN] * 24, *[Spoken(P1, ("safety_often", "safety_plan"))] * 8]
    return budget(
        alerts, Stretch(**{"weeks": 8, "patient_weeks": 800, "clinicians": 4, **parts}), DEFAULT_POLICY
    )


def test_expected_stands_beside_actual_by_urgency() -> None:
    found = figures()
    assert (found.alerts, found.per_week, found.expected_per_week) == (32, 4, 21.5)
    assert [(c.urgency, c.alerts, c.per_week, c.expected_per_week) for c in found.classes] == [
        *((P0, 0, 0, 0.5), (P1, 8, 1, 3), (P2, 24, 3, 6), (P3, 0, 0, 12)),
    ]


def test_the_load_is_told_for_one_clinician_in_alerts_and_minutes() -> None:
    found = figures()
    assert (found.per_clinician_week, found.minutes_per_clinician_week) == (1, 20)
    alone = figures(clinicians=0)
    assert (alone.per_clinician_week, alone.minutes_per_clinician_week) == (None, None)
    assert [rule.per_clinician_week for rule in alone.rules] == [None] * 3


def test_an_alert_counts_for_every_rule_that_spoke_in_it_and_busy_rules_come_first() -> None:
    assert [(rule.code, rule.alerts, rule.share) for rule in figures().rules] == [
        *((RULE, 24, 0.75), ("safety_often", 8, 0.25), ("safety_plan", 8, 0.25)),
    ]


def test_no_alerts_make_no_rules_and_no_division_by_nothing() -> None:
    found = budget([], Stretch(8, 0, 1), DEFAULT_POLICY)
    assert (found.alerts, found.expected_per_week, found.rules) == (0, 0, ())


def test_a_rule_is_over_budget_where_it_alone_uses_too_much_of_an_urgency() -> None:
    allowed = 28  # 60 % of the 48 that eight weeks of a hundred patients allow
    assert not the_rule(*[OFTEN] * allowed).over_budget
    assert the_rule(*[OFTEN] * (allowed + 1)).over_budget
    assert the_rule(*[OFTEN] * 25, values={"budget.rule_percent": 50}).over_budget


def test_a_rule_that_is_rare_where_it_is_urgent_is_not_over_budget_for_its_calm_alerts() -> None:
    calm = [Spoken(P3, (RULE,))] * 40
    assert not the_rule(*calm, *[Spoken(P0, (RULE,))] * 4).over_budget
    assert the_rule(*calm, *[Spoken(P0, (RULE,))] * 5).over_budget


def test_a_handful_of_alerts_is_never_over_budget_however_small_the_clinic() -> None:
    one_patient = Stretch(weeks=8, patient_weeks=8, clinicians=1)
    assert not the_rule(*[OFTEN] * 4, stretch=one_patient).over_budget
    assert the_rule(*[OFTEN] * 5, stretch=one_patient).over_budget
    for count, over in ((4, False), (5, True)):
        found = budget([OFTEN] * count, one_patient, DEFAULT_POLICY)
        assert [c.over_budget for c in found.classes] == [False, False, over, False]


@pytest.mark.parametrize(
    ("alert", "judged", "useful"),
    [
        (spoken(), 0, 0),
        (spoken(Outcome.CONTACTED), 1, 1),
        (spoken(Outcome.FALSE_ALARM), 1, 0),
        (spoken(Outcome.NO_ACTION_NEEDED), 1, 0),
        (spoken(Outcome.FALSE_ALARM, word=USEFUL), 1, 1),
        (spoken(Outcome.CONTACTED, word=NOISE), 1, 0),
        (spoken(word=NOISE), 1, 0),
    ],
)
def test_what_is_said_of_a_rule_outranks_how_the_alert_ended(alert: Spoken, judged: int, useful: int) -> None:
    found = the_rule(alert).precision
    assert (found.judged, found.useful) == (judged, useful)


def test_a_word_on_one_rule_says_nothing_of_the_other_that_spoke() -> None:
    alert = Spoken(P1, ("a", "b"), Outcome.FALSE_ALARM, {"a": USEFUL})
    one, other = budget([alert], HUNDRED, DEFAULT_POLICY).rules
    assert (one.said_useful, one.closed_false, one.precision.share) == (1, 1, 1)
    assert (other.said_useful, other.closed_false, other.precision.share) == (0, 1, 0)


def test_closed_and_said_are_counted_apart() -> None:
    rule = the_rule(spoken(Outcome.CONTACTED), spoken(Outcome.FALSE_ALARM, word=USEFUL), spoken(word=NOISE))
    assert (rule.closed_useful, rule.closed_false, rule.said_useful, rule.said_noise) == (1, 1, 1, 1)


def test_a_rule_is_imprecise_only_where_the_whole_interval_lies_below() -> None:
    def judged(useful: int, noise: int) -> bool:
        found = [*[spoken(word=USEFUL)] * useful, *[spoken(word=NOISE)] * noise]
        return the_rule(*found).imprecise

    assert [judged(2, 8), judged(3, 7)] == [True, False]  # 10 judged: up to 46 %, up to 56 %
    assert not judged(0, 9)  # too few to say


@pytest.mark.parametrize(("good", "of"), [(2, 10), (3, 10), (29, 40)])
def test_both_ends_of_the_interval_are_where_the_share_would_just_be_likely_enough(
    good: int, of: int
) -> None:
    distances = [abs(good / of - end) / sqrt(end * (1 - end) / of) for end in wilson(good, of)]
    assert distances == pytest.approx([1.644854] * 2, abs=1e-5)  # 90 %, two-sided, of the normal curve


def test_the_interval_of_all_or_none_ends_at_one_or_nothing() -> None:
    square = 1.644854**2
    assert wilson(0, 10) == pytest.approx((0, square / (10 + square)), abs=1e-6)
    assert wilson(10, 10) == pytest.approx((10 / (10 + square), 1), abs=1e-6)


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_stays_a_share(found: tuple[int, int]) -> None:
    low, high = wilson(*found)
    assert 0 <= low <= found[0] / found[1] + 1e-12
    assert found[0] / found[1] - 1e-12 <= high <= 1


def test_nothing_judged_says_nothing() -> None:
    none = precision(0, 0)
    assert (none.share, none.low, none.high) == (None, None, None)


def test_a_precision_is_the_share_of_the_judged_that_was_useful() -> None:
    found = precision(3, 4)
    assert (found.useful, found.judged, found.share) == (3, 4, 0.75)


def test_what_is_expected_is_not_over_budget_and_one_more_is() -> None:
    # A hundred patients for eight weeks: 48 of this urgency.
    def over(alerts: int) -> bool:
        classes = budget([OFTEN] * alerts, HUNDRED, DEFAULT_POLICY).classes
        return next(one.over_budget for one in classes if one.urgency is P2)

    assert (over(48), over(49)) == (False, True)


def test_a_rule_is_told_by_the_week_with_how_its_alerts_ended() -> None:
    found = the_rule(*[spoken(Outcome.CONTACTED)] * 3, spoken(Outcome.FALSE_ALARM), OFTEN)
    assert (found.alerts, found.per_week) == (5, 5 / 8)
    assert (found.closed_useful, found.closed_false) == (3, 1)
