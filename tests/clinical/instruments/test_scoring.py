"""What is missing, what cannot be, what cannot wait, and what holds for any answers at all."""

import random
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.clinical.instruments.catalog import INSTRUMENTS, instrument
from server.clinical.instruments.instrument import AnswersError, Instrument, Method
from server.clinical.instruments.scoring import Score, score, score_total
from server.clinical.redflags import Notice
from server.clinical.vocabulary import AlertClass, AlertFamily
from tests.clinical.instruments.answers import all_at

P0, P1, P3 = AlertClass.P0, AlertClass.P1, AlertClass.P3
SCORED = sorted(key for key, made in INSTRUMENTS.items() if made.items)


def without(made: Instrument, value: int, *absent: str) -> dict[str, int | None]:
    return {name: answer for name, answer in all_at(made, value).items() if name not in absent}


def codes(result: Score) -> list[tuple[str, AlertClass]]:
    return [(trigger.flag.code, trigger.flag.urgency) for trigger in result.safety]


# What is missing


@pytest.mark.parametrize(
    ("key", "absent", "total"),
    [
        ("phq-9", ("q1",), 9),
        ("phq-9", ("q1", "q2"), 9),
        ("phq-9", ("q1", "q2", "q3"), None),
        ("phq-9", ("q9",), None),
        ("gad-7", ("q7",), 7),
        ("gad-7", ("q6", "q7"), None),
        ("phq-2", ("q1",), None),
        ("phq-8", ("q1",), None),
        ("pcl-5", ("q1", "q2", "q3"), 20),
        ("pcl-5", ("q1", "q2", "q3", "q4"), None),
        ("peg", ("q2",), None),
        ("who-5", ("q5",), None),
        ("qids-sr16", ("q12",), None),
        ("qids-sr16", ("q1",), None),
        ("madrs", ("q10",), None),
        ("audit-c", ("q2",), None),
        ("c-ssrs-screener", ("q1",), None),
        ("bpi-sf-interference", ("q1",), None),
    ],
)
def test_a_total_is_pro_rated_only_where_that_is_allowed_and_says_so(
    key: str, absent: tuple[str, ...], total: float | None
) -> None:
    made = instrument(key)
    result = score(made, without(made, 1, *absent))
    assert (result.total, result.missing, result.complete) == (total, absent, False)
    assert result.prorated is (total is not None)
    assert (result.band is None) is (total is None)


def test_a_pro_rated_total_is_rounded_half_up() -> None:
    made = instrument("phq-9")
    seven: dict[str, int | None] = {"q3": 2, "q4": 2, "q5": 2, "q6": 2, "q7": 1, "q8": 1, "q9": 0}
    assert score(made, seven).total == 13  # 10 * 9 / 7 = 12.86
    eight = without(made, 0, "q1") | {"q2": 3, "q3": 1}
    assert score(made, eight).total == 5  # 4 * 9 / 8 = 4.5


def test_none_is_the_same_as_no_answer() -> None:
    made = instrument("gad-7")
    assert score(made, all_at(made, 2) | {"q3": None}) == score(made, without(made, 2, "q3"))


def test_no_answers_at_all_make_no_total_and_name_every_item() -> None:
    for key in SCORED:
        made = instrument(key)
        result = score(made, {})
        assert (result.total, result.safety, len(result.missing)) == (None, (), len(made.scored_items))
        assert set(result.subscores.values()) <= {None}


def test_a_part_score_needs_all_of_its_items() -> None:
    parts = score(instrument("pcl-5"), without(instrument("pcl-5"), 1, "q6")).subscores
    assert dict(parts) == {"intrusion": 5, "avoidance": None, "cognition_mood": 7, "arousal": 6}


def test_whoever_never_drinks_is_not_asked_how_much() -> None:
    result = score(instrument("audit-c"), {"q1": 0})
    assert (result.total, result.complete, result.prorated) == (0, True, False)
    assert score(instrument("audit-c"), {"q1": 1}).missing == ("q2", "q3")


def test_an_answer_that_was_given_counts_also_where_it_could_be_skipped() -> None:
    assert score(instrument("audit-c"), {"q1": 0, "q2": 0, "q3": 1}).total == 1


def test_one_answer_about_appetite_and_one_about_weight_are_enough() -> None:
    made = instrument("qids-sr16")
    result = score(made, without(made, 1, "q6", "q9"))
    assert (result.total, result.missing, result.subscores["appetite_weight"]) == (9, (), 1)
    assert score(made, without(made, 1, "q6", "q7")).missing == ("q6", "q7")


# What cannot be


@pytest.mark.parametrize("key", SCORED)
def test_answers_out_of_range_and_unknown_items_are_refused_by_name(key: str) -> None:
    made = instrument(key)
    item = made.items[0]
    bad: tuple[object, ...] = (item.low - 1, item.high + 1, 1.0, True, "1")
    for value in bad:
        with pytest.raises(AnswersError) as caught:
            score(made, {item.id: value})  # type: ignore[dict-item]
        assert caught.value.field == item.id
    for name in ("q99", "total"):
        with pytest.raises(AnswersError, match="is not an item"):
            score(made, {name: None})


# What cannot wait


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


# What holds for any answers


def any_answers(key: str) -> st.SearchStrategy[dict[str, int | None]]:
    made = instrument(key)
    items = {item.id: st.none() | st.integers(item.low, item.high) for item in made.items}
    return st.fixed_dictionaries({}, optional=items)


def full_answers(key: str) -> st.SearchStrategy[dict[str, int]]:
    return st.fixed_dictionaries(
        {item.id: st.integers(item.low, item.high) for item in instrument(key).scored_items}
    )


@pytest.mark.parametrize("key", SCORED)
@settings(max_examples=40)
@given(data=st.data())
def test_a_total_lies_in_its_range_and_the_order_of_answers_does_not_matter(
    key: str, data: st.DataObject
) -> None:
    made, answers = instrument(key), data.draw(any_answers(key))
    result = score(made, answers)
    if result.total is not None:
        assert made.scoring.low <= result.total <= made.scoring.high
        assert not made.bands or result.band in made.bands
    shuffled = list(answers.items())
    random.Random(1).shuffle(shuffled)
    assert score(made, dict(shuffled)) == result
    assert result.complete is (not result.missing)


def urgencies(made: Instrument, answers: Mapping[str, int | None]) -> list[str]:
    return [trigger.flag.urgency.value for trigger in score(made, answers).safety]


@pytest.mark.parametrize("key", SCORED)
@settings(max_examples=40)
@given(data=st.data())
def test_a_higher_answer_never_lowers_the_total_nor_the_urgency(key: str, data: st.DataObject) -> None:
    made, answers = instrument(key), data.draw(full_answers(key))
    item = data.draw(st.sampled_from(made.scored_items))
    higher = answers | {item.id: data.draw(st.integers(answers[item.id], item.high))}
    before, after = score(made, dict(answers)), score(made, dict(higher))
    for old, new in (
        (before.total, after.total),
        *zip(before.subscores.values(), after.subscores.values(), strict=True),
    ):
        assert (old or 0) <= (new or 0)
    calm = ["P9"]
    assert min(urgencies(made, dict(higher)) or calm) <= min(urgencies(made, dict(answers)) or calm)


@pytest.mark.parametrize("key", sorted(key for key in SCORED if instrument(key).safety))
@settings(max_examples=40)
@given(data=st.data())
def test_leaving_out_other_items_never_hides_a_safety_answer(key: str, data: st.DataObject) -> None:
    made, answers = instrument(key), data.draw(full_answers(key))
    rules = {rule.item for rule in made.safety if rule.item != "total"}
    alone = {name: value for name, value in answers.items() if name in rules}
    found = {trigger.flag.code for trigger in score(made, dict(answers)).safety if trigger.item != "total"}
    assert {trigger.flag.code for trigger in score(made, dict(alone)).safety} >= found


def test_every_method_is_exercised_by_a_scale() -> None:
    assert {made.scoring.method for made in INSTRUMENTS.values()} == set(Method)
