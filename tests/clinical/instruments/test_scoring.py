"""What is missing, what cannot be, and what holds for any answers at all."""

import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.instruments.catalog import INSTRUMENTS, instrument
from server.clinical.instruments.instrument import AnswersError, Instrument, Method
from server.clinical.instruments.scoring import score
from tests.clinical.instruments.answers import all_at, full_answers, without

SCORED = sorted(key for key, made in INSTRUMENTS.items() if made.items)


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


# What holds for any answers


def any_answers(key: str) -> st.SearchStrategy[dict[str, int | None]]:
    made = instrument(key)
    items = {item.id: st.none() | st.integers(item.low, item.high) for item in made.items}
    return st.fixed_dictionaries({}, optional=items)


@pytest.mark.long
@pytest.mark.parametrize("key", SCORED)
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


@pytest.mark.long
@pytest.mark.parametrize("key", SCORED)
@given(data=st.data())
def test_a_higher_answer_never_lowers_the_total_nor_the_urgency(key: str, data: st.DataObject) -> None:
    made = instrument(key)
    answers = data.draw(full_answers(made))
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


def test_every_method_is_exercised_by_a_scale() -> None:
    assert {made.scoring.method for made in INSTRUMENTS.values()} == set(Method)
