"""What is read of something that can't be taken: the answers, and nothing that only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical import legible
from server.clinical.instruments.catalog import INSTRUMENTS
from server.clinical.instruments.scoring import urgent, urgent_total
from server.clinical.vocabulary import AlertClass, SafetyAnswer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below, max_size=3),
    max_leaves=8,
)


def test_each_answer_is_read_for_itself() -> None:
    raw = {
        "safety": "plan",
        "items": {"mood": 99, "craving": 9, "energy": True, "colour": 3},
        "side_effects": {"chest_pain": 1, "nausea": 9, "sparkle": 2},
        "note": ["?"],
    }
    found = legible.entry(raw)
    assert (found.safety, found.items, found.side_effects) == (
        SafetyAnswer.PLAN,
        {"craving": 9},
        {"chest_pain": 1},
    )


@pytest.mark.parametrize("said", ["PLAN", "", None, 3, ["plan"], {"plan": 1}])
def test_what_only_looks_like_an_answer_is_none(said: object) -> None:
    assert legible.entry({"safety": said}).safety is None


def test_an_item_of_a_scale_is_read_beside_one_that_cannot_be() -> None:
    phq = INSTRUMENTS["phq-9"]
    read = legible.answers(phq, {"answers": {"q1": 4, "q9": 3, "q10": 1, "q2": "2"}})
    assert read == {"q9": 3}
    assert [trigger.item for trigger in urgent(phq, read)] == ["q9"]
    assert urgent(phq, {"q9": 0, "q1": 3}) == ()


def test_a_total_that_was_typed_in_is_read_whether_the_scale_takes_it_or_not() -> None:
    asrm, phq = INSTRUMENTS["asrm"], INSTRUMENTS["phq-9"]
    total = legible.total({"total": 9, "colour": "red"})
    assert total == 9
    assert [trigger.flag.code for trigger in urgent_total(asrm, total)] == ["asrm_positive"]
    assert urgent_total(asrm, 99) == () == urgent_total(asrm, 5) == urgent_total(phq, 27)
    (risk,) = urgent_total(INSTRUMENTS["c-ssrs-screener"], 3)
    assert (risk.flag.code, risk.flag.urgency) == ("cssrs_high", AlertClass.P0)
    for wrong in ("9", True, None, [9]):
        assert legible.total({"total": wrong}) is None


@given(JSON)
def test_whatever_comes_it_is_read_without_a_stumble(raw: object) -> None:
    legible.entry(raw)
    legible.answers(INSTRUMENTS["phq-9"], raw)
    legible.total({"total": raw})
    legible.entry({"items": raw, "side_effects": raw, "safety": raw})


def test_the_mildest_and_the_gravest_answer_there_is_are_read_and_what_lies_beyond_is_not() -> None:
    effects = {"nausea": 0, "headache": 4, "chest_pain": -1, "dizziness": 5}
    items = {"craving": 10, "mood": 0, "anxiety": -1, "energy": 11}
    found = legible.entry({"side_effects": effects, "items": items})
    assert (found.side_effects, found.items) == ({"nausea": 0, "headache": 4}, {"craving": 10, "mood": 0})
    phq = INSTRUMENTS["phq-9"]
    assert legible.answers(phq, {"answers": {"q8": 0, "q9": 3, "q7": -1, "q6": 4}}) == {"q8": 0, "q9": 3}


def test_a_whole_number_is_one_however_it_is_written() -> None:
    numbers = {"craving": 9.0, "mood": 2.5, "anxiety": float("inf"), "energy": float("nan"), "interest": 7}
    assert legible.entry({"items": numbers}).items == {"craving": 9, "interest": 7}
    assert legible.total({"total": 9.0}) == 9
    assert legible.total({"total": -9}) == -9
    assert legible.total({"total": 8.5}) is None
