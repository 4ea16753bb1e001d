"""What rests on the points of a series alone is worked out once, whoever asks."""

from math import inf

import pytest

from server.clinical.line import Line

LINE = Line([1, 2, 3, 10, 11], [4.0, 2.0, 6.0, 3.0, 5.0])


def test_a_moving_average_is_that_of_its_weight_and_made_once() -> None:
    found = LINE.averages(0.5)
    assert list(found)[:2] == pytest.approx([4.0, (0.5 * 2 + 0.25 * 4) / 0.75])
    assert LINE.averages(0.5) is found
    assert list(LINE.averages(0.25)) != list(found)


def test_the_lowest_of_the_last_values_is_none_where_there_are_fewer() -> None:
    assert list(LINE.lows(3)) == [-inf, -inf, 2.0, 2.0, 3.0]
    assert list(LINE.lows(1)) == list(LINE.values)
    assert list(Line([1], [7.0]).lows(5)) == [-inf]
    assert LINE.lows(3) is LINE.lows(3)


def test_a_recent_mean_takes_the_last_points_of_the_last_days() -> None:
    seen, means = LINE.recent(9, 2)
    assert list(seen) == [1, 2, 3, 3, 3]
    assert list(means) == [4.0, 3.0, 4.0, 4.5, 4.0]
    assert list(LINE.recent(2, 2).seen) == [1, 2, 2, 1, 2]
    assert LINE.recent(9, 2) is LINE.recent(9, 2)
