"""From one total to the next: response, remission, and differences that count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.instruments.catalog import INSTRUMENTS, instrument
from server.clinical.instruments.change import Trend, change
from server.clinical.instruments.instrument import AnswersError
from server.clinical.vocabulary import Direction

BETTER, SAME, WORSE = Trend.BETTER, Trend.SAME, Trend.WORSE


@pytest.mark.parametrize(
    ("key", "before", "after", "response", "remission"),
    [
        ("phq-9", 20, 10, True, False),
        ("phq-9", 20, 11, False, False),
        ("phq-9", 9, 4, True, True),
        ("phq-9", 7, 4, False, True),
        ("phq-9", 10, 5, True, False),
        ("gad-7", 12, 9, True, False),
        ("gad-7", 12, 10, False, False),
        ("gad-7", 9, 8, False, False),
        ("gad-7", 8, 4, True, True),
        ("qids-sr16", 16, 8, True, False),
        ("qids-sr16", 12, 5, True, True),
        ("pcl-5", 50, 28, None, True),
        ("pcl-5", 50, 29, None, False),
        ("asrm", 8, 5, None, True),
        ("asrm", 8, 6, None, False),
        ("isi", 20, 12, True, False),
        ("isi", 20, 13, False, False),
        ("isi", 10, 7, False, True),
        ("y-bocs", 20, 13, True, False),
        ("y-bocs", 20, 14, False, False),
        ("y-bocs", 20, 12, True, True),
        ("madrs", 32, 16, True, False),
        ("madrs", 32, 17, False, False),
        ("madrs", 32, 10, True, True),
        ("who-5", 40, 52, None, True),
        ("who-5", 40, 48, None, False),
        ("peg", 10, 7, True, None),
        ("peg", 10, 22 / 3, False, None),
        ("nrs-11", 10, 7, True, None),
        ("nrs-11", 7, 5, False, None),
        ("promis-pain-interference", 65, 60, True, None),
        ("promis-pain-interference", 65, 60.1, False, None),
        ("c-ssrs-screener", 2, 0, None, True),
        ("cadss", 30, 4, None, True),
        ("cadss-6", 10, 0, None, None),
    ],
)
def test_response_and_remission_follow_the_rule_of_the_scale(
    key: str, before: float, after: float, response: bool | None, remission: bool | None
) -> None:
    result = change(instrument(key), before, after)
    assert (result.response, result.remission) == (response, remission)


@pytest.mark.parametrize(
    ("key", "before", "after", "meaningful", "reliable"),
    [
        ("phq-9", 15, 10, BETTER, SAME),
        ("phq-9", 15, 9, BETTER, BETTER),
        ("phq-9", 15, 11, SAME, SAME),
        ("phq-9", 10, 15, WORSE, SAME),
        ("phq-9", 10, 16, WORSE, WORSE),
        ("gad-7", 12, 8, BETTER, None),
        ("gad-7", 12, 9, SAME, None),
        ("pcl-5", 50, 40, BETTER, SAME),
        ("pcl-5", 50, 32, BETTER, BETTER),
        ("pcl-5", 50, 41, SAME, SAME),
        ("who-5", 40, 52, BETTER, None),
        ("who-5", 52, 40, WORSE, None),
        ("who-5", 40, 48, SAME, None),
        ("peg", 17 / 3, 14 / 3, BETTER, None),
        ("peg", 2, 4 / 3, BETTER, None),
        ("peg", 6, 16 / 3, SAME, None),
        ("nrs-11", 8, 6, BETTER, None),
        ("nrs-11", 3, 2, BETTER, None),
        ("nrs-11", 4, 3, SAME, None),
        ("nrs-11", 0, 2, WORSE, None),
        ("audit-c", 8, 2, None, None),
    ],
)
def test_a_difference_counts_from_the_published_amount_on(
    key: str, before: float, after: float, meaningful: Trend | None, reliable: Trend | None
) -> None:
    result = change(instrument(key), before, after)
    assert (result.meaningful, result.reliable) == (meaningful, reliable)


def test_percent_is_not_defined_from_nothing_and_points_speak_instead() -> None:
    result = change(instrument("phq-9"), 0, 6)
    assert (result.points, result.percent, result.meaningful, result.response) == (-6, None, WORSE, None)


def test_a_t_score_has_points_and_no_percent() -> None:
    assert change(instrument("promis-pain-interference"), 60, 54).percent is None


def test_improvement_is_positive_also_where_high_is_good() -> None:
    assert change(instrument("who-5"), 40, 60).points == 20
    assert change(instrument("who-5"), 40, 60).percent == 50
    assert change(instrument("phq-9"), 20, 15).points == 5


@pytest.mark.parametrize(("before", "after"), [(28, 3), (3, 28), (-1, 3)])
def test_totals_that_cannot_be_are_refused(before: float, after: float) -> None:
    with pytest.raises(AnswersError):
        change(instrument("phq-9"), before, after)


@pytest.mark.parametrize("key", sorted(key for key in INSTRUMENTS if key != "digibp"))
@given(data=st.data())
def test_there_and_back_is_no_change_and_a_better_total_is_never_judged_worse(
    key: str, data: st.DataObject
) -> None:
    made = instrument(key)
    steps = st.integers(0, int((made.scoring.high - made.scoring.low) / made.scoring.factor))
    first, second = (made.scoring.low + made.scoring.factor * data.draw(steps) for _ in range(2))
    there, back = change(made, first, second), change(made, second, first)
    assert there.points == -back.points
    improved = second >= first if made.direction is Direction.HIGH_GOOD else second <= first
    assert there.meaningful not in ((WORSE,) if improved else (BETTER,))
    assert there.reliable not in ((WORSE,) if improved else (BETTER,))
    assert improved or not there.response
