"""What suggested visits came to: counted by reason, and silent about few patients."""

from collections import Counter
from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.visit_yield import (
    FEWEST,
    Gained,
    Responses,
    Tracked,
    Waited,
    held_median,
    months_before,
    report,
    withheld,
    yield_of,
)
from server.clinical.vocabulary import DeclineCode, SuggestionState

S = SuggestionState
RELAPSE, DUE, EARLY = "relapse_signal", "maintenance_due", "loss_expected"


def kept(days: int, responded: bool = True, at_least: bool = False) -> Tracked:
    return Tracked(RELAPSE, S.FULFILLED, True, True, None, responded, days, at_least)


def test_every_suggestion_is_counted_where_it_ended() -> None:
    found = yield_of(
        [
            kept(20),
            Tracked(DUE, S.NOSHOW, True, True),
            Tracked(DUE, S.CANCELLED, True, True),
            Tracked(DUE, S.DECLINED, True, decline=DeclineCode.NO_CAPACITY),
            Tracked(DUE, S.DECLINED, True, decline=DeclineCode.NO_CAPACITY),
            Tracked(DUE, S.DECLINED, True, decline=DeclineCode.OTHER),
            Tracked(DUE, S.WITHDRAWN),
            Tracked(DUE, S.EXPIRED, True),
            Tracked(DUE, S.SUPERSEDED),
            Tracked(RELAPSE, S.DRAFT),
            Tracked(RELAPSE, S.BOOKED, True, True),
        ]
    )
    assert (found.suggested, found.approved, found.booked, found.fulfilled) == (11, 8, 4, 1)
    assert (found.noshow, found.cancelled, found.dismissed, found.expired) == (1, 1, 1, 1)
    assert (found.superseded, found.under_way) == (1, 2)
    assert dict(found.declined) == {DeclineCode.NO_CAPACITY: 2, DeclineCode.OTHER: 1}


@pytest.mark.parametrize("count", [4, 5])
def test_what_became_of_fewer_than_five_is_withheld(count: int) -> None:
    numbers = range(1, count + 1)
    found = yield_of([kept(10 * n, responded=n > 1) for n in numbers], numbers)
    told = count >= 5
    assert found.days_to_visit == Waited(count, 3 if told else None)
    assert found.responses == Responses(count, 4 if told else None, 0.8 if told else None)
    assert found.days_gained == Gained(count, 0 if told else None, 30 if told else None)
    assert found.fulfilled == count


def test_it_is_told_apart_by_why_a_visit_was_suggested() -> None:
    found = report([kept(20), Tracked(DUE, S.DRAFT), Tracked(DUE, S.EXPIRED)], {RELAPSE: [3]})
    assert (found.total.days_to_visit, found.by_reason[DUE].days_to_visit) == (
        Waited(1, None),
        Waited(0, None),
    )
    assert list(found.by_reason) == [DUE, RELAPSE]
    assert (found.total.suggested, found.by_reason[DUE].suggested) == (3, 2)
    assert report([], {}).total.days_gained == Gained(0, None, None)


def test_what_a_row_withholds_is_not_what_the_others_leave_of_the_total() -> None:
    many = [kept(20)] * 6 + [replace(kept(30), reason=EARLY)] * 5
    found = report([*many, replace(kept(0, responded=False), reason=DUE)], {})
    assert found.total.responses == Responses(12, 11, 11 / 12)
    told = {row: one.responses.responded for row, one in found.by_reason.items()}
    assert told == {DUE: None, EARLY: None, RELAPSE: 6}
    assert [one.days_gained.median for one in found.by_reason.values()] == [None, None, 20]


@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(0, 12), max_size=5))
def test_what_is_withheld_is_about_nobody_or_about_enough(counts: dict[str, int]) -> None:
    hidden = withheld(counts)
    behind = sum(counts[row] for row in hidden)
    assert behind == 0 or behind >= FEWEST or len(hidden) == len(counts)
    assert all(counts[row] >= FEWEST for row in counts.keys() - hidden)


def test_what_still_holds_counts_until_now_and_is_not_called_lost() -> None:
    lost = [(10, False), (20, False), (30, False)]
    assert held_median([*lost, (40, False)]) == 20
    # Two that hold for longer: half of five is lost on day 30 only.
    assert held_median([*lost, (40, True), (50, True)]) == 30
    assert held_median([(10, False), (20, True), (30, True), (40, True)]) is None
    assert held_median([]) is None


@given(st.lists(st.tuples(st.integers(0, 90), st.just(False)), min_size=1))
def test_where_all_is_lost_half_are_lost_by_the_median_and_not_before(times: list[tuple[int, bool]]) -> None:
    found = held_median(times)
    assert found is not None
    days = [day for day, _ in times]
    assert sum(day <= found for day in days) * 2 >= len(days)
    assert sum(day < found for day in days) * 2 < len(days)


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=40))
def test_what_is_held_is_the_product_of_each_days_share_however_it_is_counted(
    times: list[tuple[int, bool]],
) -> None:
    share, wanted = Fraction(1), None
    for day in sorted({days for days, still in times if not still}):
        lost = sum(one == (day, False) for one in times)
        share *= 1 - Fraction(lost, sum(days >= day for days, _ in times))
        wanted = day if wanted is None and share <= Fraction(1, 2) else wanted
    assert held_median(times) == held_median(Counter(times)) == wanted


@given(st.lists(st.tuples(st.sampled_from([*S]), st.booleans(), st.integers(0, 3)), max_size=40))
def test_so_many_that_are_alike_count_as_each_of_them(rows: list[tuple[SuggestionState, bool, int]]) -> None:
    each = [Tracked(DUE, state, helped, not helped, None, helped, days) for state, helped, days in rows]
    alike = [replace(one, count=count) for one, count in Counter(each).items()]
    assert yield_of(alike) == yield_of(each)


@pytest.mark.parametrize(
    ("day", "months", "first"),
    [
        (date(2026, 3, 31), 1, date(2026, 3, 1)),
        (date(2026, 3, 31), 3, date(2026, 1, 1)),
        (date(2026, 3, 1), 4, date(2025, 12, 1)),
        (date(2026, 3, 2), 12, date(2025, 4, 1)),
        (date(2026, 12, 2), 12, date(2026, 1, 1)),
        (date(2026, 1, 2), 36, date(2023, 2, 1)),
    ],
)
def test_the_report_goes_over_whole_months(day: date, months: int, first: date) -> None:
    assert months_before(day, months) == first


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ({"a": 5, "b": 9}, set()),
        ({"a": 4, "b": 9}, {"a", "b"}),  # what b leaves of the total would tell of a
        ({"a": 4, "b": 5, "c": 9}, {"a", "b"}),
        ({"a": 2, "b": 3, "c": 9}, {"a", "b"}),  # together they are about five people
        ({"a": 1, "b": 3, "c": 9, "d": 10}, {"a", "b", "c"}),
        ({"a": 0, "b": 9}, {"a"}),  # of nobody nothing can be worked out
        ({}, set()),
    ],
)
def test_rows_of_few_are_withheld_with_as_many_more_as_would_tell_of_them(
    counts: dict[str, int], hidden: set[str]
) -> None:
    assert withheld(counts) == hidden


def test_visits_whose_outcome_nobody_knows_are_not_among_those_that_helped_or_not() -> None:
    found = yield_of([kept(10)] * 5 + [replace(kept(10), responded=None)] * 3, [])
    assert found.responses == Responses(5, 5, 1.0)
