"""What was logged, item by item: cut from one column, and the same as what the readings say."""

from hypothesis import given
from hypothesis import strategies as st

from server.clinical.columns import Logged, logged
from server.clinical.line import Line
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.readings import History, fold
from server.clinical.series import Points, blend_points, item_points
from tests.clinical.diaries import day

MEANS = {"mood": 6.3, "anxiety": 3.1, "sleep_quality": 5.7}
DAYS = st.dictionaries(
    st.integers(0, 20), st.dictionaries(st.sampled_from([*MEANS, "worry"]), st.integers(0, 10)), max_size=15
)
SHARES = st.sampled_from([0.2, 0.5, 0.6, 1.0])


def columns(history: History, *sessions: int) -> Logged:
    return logged(history, map(day, sessions), DEFAULT_POLICY)


def said(days: dict[int, dict[str, int]]) -> History:
    return fold((day(n), items) for n, items in days.items())


def line(points: Points) -> tuple[list[int], list[float]]:
    return [on.toordinal() for on, _ in points], [value for _, value in points]


def both(found: Line) -> tuple[list[int], list[float]]:
    return list(found.days), list(found.values)


@given(DAYS, SHARES, st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_a_cut_of_the_columns_says_what_a_cut_of_the_diary_says(
    days: dict[int, dict[str, int]], share: float, first: int, last: int, late: bool
) -> None:
    history = said(days)
    whole, part = columns(history).days, history.between(day(first), day(last))
    if late:  # a column that was taken before is cut like one that was not
        assert both(whole.item("mood")) == line(item_points(history, "mood"))
    cut = whole.between(day(first), day(last))
    assert [on.toordinal() for on in part.days()] == list(cut.days)
    for key in (*MEANS, "worry"):
        assert both(cut.item(key)) == line(item_points(part, key))
    assert both(cut.blend(MEANS, share)) == line(blend_points(part, MEANS, share))
    assert list(cut.enough(MEANS, share)) == line(blend_points(part, MEANS, share))[0]


def test_a_day_counts_with_as_many_items_as_the_share_asks_for() -> None:
    found = columns(said({0: {"mood": 5}, 1: {"mood": 5, "anxiety": 3}, 2: {"worry": 1}})).days
    of = [day(n).toordinal() for n in range(3)]
    assert list(found.enough(MEANS, 0.2)) == of[:2]
    assert list(found.enough(MEANS, 0.5)) == of[1:2]
    assert list(found.enough(["mood", "anxiety"], 1)) == of[1:2]


def test_the_days_of_a_session_and_right_after_it_are_not_settled() -> None:
    found = columns(said({n: {"mood": 5} for n in range(8)}), 2, 2)
    assert list(found.settled.days) == [day(n).toordinal() for n in (0, 1, 5, 6, 7)]
    assert (list(found.sessions), found.given(day(2), day(9))) == ([day(2)], set())
    assert found.given(day(1), day(2)) == {day(2)}
    assert columns(said({9: {"mood": 5}}), 2).settled.days


def test_days_that_say_nothing_of_the_items_are_left_out() -> None:
    found = columns(said({0: {"mood": 5}, 1: {"worry": 5}, 2: {"anxiety": 5}})).days
    assert list(found.saying(["mood", "anxiety"]).days) == [day(0).toordinal(), day(2).toordinal()]
    alike = columns(said({0: {"mood": 5}, 1: {"mood": 4}})).days
    assert alike.saying(["mood", "anxiety"]) is alike
