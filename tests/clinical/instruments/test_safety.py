"""Answers that cannot wait: every value of every safety item, on every way in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.instruments.catalog import INSTRUMENTS, instrument
from server.clinical.instruments.scoring import Score, score, score_total, urgent
from server.clinical.redflags import Notice
from server.clinical.vocabulary import AlertClass, AlertFamily
from tests.clinical.instruments.answers import all_at, full_answers, without

P0, P1, P3 = AlertClass.P0, AlertClass.P1, AlertClass.P3


def codes(result: Score) -> list[tuple[str, AlertClass]]:
    return [(trigger.flag.code, trigger.flag.urgency) for trigger in result.safety]


@pytest.mark.parametrize(
    ("key", "item", "code"), [("phq-9", "q9", "phq9_item9"), ("qids-sr16", "q12", "qids_item12")]
)
@pytest.mark.parametrize("answered", [True, False], ids=["whole form", "this item alone"])
def test_every_value_of_the_item_about_suicide_has_its_route(
    key: str, item: str, code: str, answered: bool
) -> None:
    made = instrument(key)
    rest = all_at(made, 0) if answered else {}
    assert codes(score(made, rest | {item: 0})) == []
    assert codes(score(made, rest | {item: 1})) == [(f"{code}_passing", P1)]
    for value in (2, 3):
        assert codes(score(made, rest | {item: value})) == [(f"{code}_often", P1)]


def test_a_passing_thought_is_urgent_until_a_screener_is_answered() -> None:
    [trigger] = score(instrument("phq-9"), {"q9": 1}).safety
    assert (trigger.item, trigger.answer, trigger.until_screened, trigger.contact_today) == (
        "q9",
        1,
        True,
        False,
    )
    assert (trigger.flag.family, trigger.flag.notice) == (AlertFamily.SAFETY, Notice.CRISIS_LINES)


def test_frequent_thoughts_stay_urgent_and_ask_for_contact_today() -> None:
    [trigger] = score(instrument("phq-9"), {"q9": 2}).safety
    assert (trigger.until_screened, trigger.contact_today) == (False, True)


def test_an_unanswered_safety_item_is_named_and_never_a_no() -> None:
    made = instrument("phq-9")
    assert score(made, without(made, 0, "q9")).safety_missing == ("q9",)
    assert score(made, all_at(made, 0)).safety_missing == ()
    assert score_total(made, 3).safety_missing == ("q9",)
    assert score(instrument("gad-7"), {}).safety_missing == ()


@pytest.mark.parametrize(
    ("item", "code", "urgency", "notice"),
    [
        ("q1", "cssrs_wish", P1, Notice.CRISIS_LINES),
        ("q2", "cssrs_thoughts", P1, Notice.CRISIS_LINES),
        ("q3", "cssrs_method", P1, Notice.CRISIS_LINES),
        ("q4", "cssrs_intent", P0, Notice.EMERGENCY),
        ("q5", "cssrs_plan", P0, Notice.EMERGENCY),
        ("q6", "cssrs_behavior_lifetime", P1, Notice.CRISIS_LINES),
        ("q6_recent", "cssrs_behavior_recent", P0, Notice.EMERGENCY),
    ],
)
def test_every_yes_on_the_screener_has_its_route(
    item: str, code: str, urgency: AlertClass, notice: Notice
) -> None:
    made = instrument("c-ssrs-screener")
    [trigger] = score(made, all_at(made, 0) | {item: 1}).safety
    assert (trigger.flag.code, trigger.flag.urgency, trigger.flag.notice) == (code, urgency, notice)
    assert score(made, all_at(made, 0)).safety == ()


def test_behavior_without_a_date_counts_as_recent() -> None:
    assert codes(score(instrument("c-ssrs-screener"), {"q6": 1})) == [("cssrs_behavior_undated", P0)]


def test_the_screener_may_skip_what_its_own_rules_skip() -> None:
    result = score(instrument("c-ssrs-screener"), {"q1": 1, "q2": 0, "q6": 0})
    assert (result.total, result.complete, result.safety_missing) == (1, True, ())
    broken_off = score(instrument("c-ssrs-screener"), {"q1": 1, "q2": 1})
    assert (broken_off.total, broken_off.complete) == (None, False)
    assert broken_off.safety_missing == ("q5", "q4", "q6_recent", "q6", "q3")


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        (0, []),
        (1, [("cssrs_low", P1)]),
        (2, [("cssrs_moderate", P1)]),
        (3, [("cssrs_high", P0)]),
    ],
)
def test_a_screener_result_typed_in_takes_the_same_way(
    tier: int, expected: list[tuple[str, AlertClass]]
) -> None:
    assert codes(score_total(instrument("c-ssrs-screener"), tier)) == expected


def test_the_most_urgent_answer_comes_first() -> None:
    made = instrument("c-ssrs-screener")
    result = score(made, all_at(made, 1))
    assert [trigger.flag.urgency for trigger in result.safety] == [P0, P0, P0, P1, P1, P1, P1]
    assert [trigger.item for trigger in result.safety[:3]] == ["q6_recent", "q4", "q5"]


@pytest.mark.parametrize(
    ("total", "expected"),
    [(5, []), (6, ["asrm_positive"]), (9, ["asrm_positive"]), (10, ["asrm_high"]), (20, ["asrm_high"])],
)
def test_a_high_mania_score_is_routed_from_answers_and_from_a_typed_total(
    total: int, expected: list[str]
) -> None:
    made = instrument("asrm")
    answers = {f"q{n}": max(0, min(4, total - 4 * (n - 1))) for n in range(1, 6)}
    for result in (score(made, answers), score_total(made, total)):
        assert codes(result) == [(code, P1) for code in expected]
        assert {trigger.item for trigger in result.safety} <= {"total"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((4, 1), []),
        ((4, 2), ["asrm_positive"]),
        ((4, 4, 1), ["asrm_positive"]),
        ((4, 4, 2, 0), ["asrm_high"]),
    ],
)
def test_a_mania_scale_whose_answers_reach_the_mark_is_routed_whatever_is_left_open(
    given: tuple[int, ...], expected: list[str]
) -> None:
    result = score(instrument("asrm"), {f"q{n}": value for n, value in enumerate(given, 1)})
    assert (result.total, codes(result)) == (None, [(code, P1) for code in expected])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((0, []), (1, []), (2, [("madrs_item10_passing", P1)]), (3, [("madrs_item10_passing", P1)])),
        *(
            (4, [("madrs_item10_often", P1)]),
            (5, [("madrs_item10_plan", P0)]),
            (6, [("madrs_item10_plan", P0)]),
        ),
    ],
)
def test_item_10_of_the_madrs_is_no_exception(value: int, expected: list[tuple[str, AlertClass]]) -> None:
    assert codes(score(instrument("madrs"), {"q10": value})) == expected


def test_risk_taking_is_a_soft_flag_only() -> None:
    made = instrument("pcl-5")
    seen = [codes(score(made, {"q16": value})) for value in range(5)]
    assert seen == [[], [], [], [("pcl5_risk_taking", P3)], [("pcl5_risk_taking", P3)]]


@pytest.mark.parametrize("key", sorted(key for key, made in INSTRUMENTS.items() if made.safety))
@given(data=st.data())
def test_leaving_out_other_items_never_hides_a_safety_answer(key: str, data: st.DataObject) -> None:
    made = instrument(key)
    answers = data.draw(full_answers(made))
    rules = {rule.item for rule in made.safety if rule.item != "total"}
    alone = {name: value for name, value in answers.items() if name in rules}
    found = {trigger.flag.code for trigger in score(made, dict(answers)).safety if trigger.item != "total"}
    assert {trigger.flag.code for trigger in score(made, dict(alone)).safety} >= found


@pytest.mark.parametrize("key", sorted(INSTRUMENTS))
def test_an_app_without_network_knows_which_answers_cannot_wait(key: str) -> None:
    made = INSTRUMENTS[key]
    for item in made.items:
        lowest = made.safety_from.get(item.id)
        for value in (item.low, item.high, *(() if lowest is None else (lowest - 1, lowest))):
            cannot_wait = bool(urgent(made, {item.id: value}))
            assert cannot_wait is (lowest is not None and value >= lowest), (item.id, value)


def test_a_rule_about_the_total_is_no_item_that_cannot_wait() -> None:
    assert instrument("asrm").safety_from == {}
    assert instrument("phq-9").safety_from == {"q9": 1}
