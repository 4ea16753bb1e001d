"""A composite of days that miss some of its items, and how wide the scale of a series is."""

import pytest

from server.clinical.readings import Items, Reading
from server.clinical.series import COMPOSITE, blend, span_of
from tests.clinical.diaries import day

# Ana's own means, higher is worse; a mood of 7 is a symptom of 3.
MEANS = {"mood": 3.0, "anxiety": 3.0, "restlessness": 6.0}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ({"mood": 7, "anxiety": 3, "restlessness": 6}, 4.0),  # each at its mean: the mean of those
        ({"mood": 4, "anxiety": 3, "restlessness": 6}, 5.0),  # one of three lies three points higher
        ({"mood": 4, "anxiety": 4}, 6.0),  # of the two that are there one lies three higher, one one
        ({"mood": 9, "restlessness": 6}, 3.0),  # better than usual is lower
        ({"anxiety": 5}, None),  # one of three is too few
        ({"pain_average": 5}, None),
        ({}, None),
    ],
)
def test_a_day_is_as_far_from_the_mean_as_the_items_that_it_has(items: Items, expected: float | None) -> None:
    assert blend(Reading(day(0), items), MEANS, 0.5) == (
        expected if expected is None else pytest.approx(expected)
    )


def test_the_width_of_a_series_is_that_of_its_item_and_of_a_composite_ten_points() -> None:
    assert (span_of("anxiety"), span_of("sleep_hours"), span_of(COMPOSITE)) == (10, 24, 10)
