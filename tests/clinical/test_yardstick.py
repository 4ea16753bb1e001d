"""What a scale's totals are measured by comes from its own file."""

from dataclasses import replace

import pytest

from server.clinical.instruments.catalog import INSTRUMENTS
from server.clinical.vocabulary import Arm
from server.clinical.yardstick import Yardstick, yardstick


def of(key: str) -> Yardstick:
    found = yardstick(INSTRUMENTS[key])
    assert found is not None
    return found


def test_a_phq_9_is_ill_again_at_10_and_5_points_mean_something() -> None:
    assert of("phq-9") == Yardstick("phq-9", Arm.MOOD, 10, 5)


def test_a_scale_that_counts_the_other_way_is_turned() -> None:
    well_being = of("who-5")
    assert (well_being.cut, well_being.worse(30), well_being.worse(70)) == (50, 70, 30)
    assert not well_being.has_percent


def test_so_is_its_cut() -> None:
    made = INSTRUMENTS["who-5"]
    found = yardstick(replace(made, change=replace(made.change, relapse_at=30)))
    assert found is not None
    assert found.cut == 70


def test_pain_has_no_cut_and_goes_by_the_gain() -> None:
    assert of("peg") == Yardstick("peg", Arm.PAIN, None, 1)


def test_a_t_score_of_ten_is_not_nothing() -> None:
    assert (of("promis-pain-interference").arm, of("promis-pain-interference").has_percent) == (
        Arm.PAIN,
        False,
    )


@pytest.mark.parametrize("key", ["asrm", "c-ssrs-screener", "cadss", "cadss-6", "audit-c", "digibp"])
def test_a_scale_that_ranks_something_else_is_not_read(key: str) -> None:
    assert yardstick(INSTRUMENTS[key]) is None


def test_a_mood_scale_without_a_cut_is_not_read() -> None:
    made = INSTRUMENTS["phq-9"]
    without = replace(made, change=replace(made.change, relapse_at=None))
    assert yardstick(without) is None


def test_a_scale_with_neither_cut_nor_change_is_not_read() -> None:
    made = INSTRUMENTS["peg"]
    assert yardstick(replace(made, change=replace(made.change, meaningful_points=None))) is None
