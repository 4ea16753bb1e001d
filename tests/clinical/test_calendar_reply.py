"""Which answer to an invitation is news."""

from datetime import UTC, datetime, timedelta

import pytest

from server.clinical.calendar_reply import CalendarVerdict, Order, names_days, repeated

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HEARD = [Order(3, NOON), Order(4, NOON - timedelta(hours=1))]


@pytest.mark.parametrize(
    ("order", "verdict"),
    [
        (Order(4, NOON), None),
        (Order(5, NOON - timedelta(days=1)), None),
        (HEARD[0], CalendarVerdict.DUPLICATE),
        (HEARD[1], CalendarVerdict.DUPLICATE),
        (Order(3, NOON + timedelta(days=1)), CalendarVerdict.STALE),
        (Order(4, NOON - timedelta(hours=2)), CalendarVerdict.STALE),
    ],
)
def test_the_number_orders_first_and_then_the_moment(order: Order, verdict: CalendarVerdict | None) -> None:
    assert repeated(order, HEARD, None) is verdict


def test_an_answer_from_before_the_visit_got_its_time_is_stale() -> None:
    assert repeated(Order(9, NOON), (), NOON) is None
    assert repeated(Order(9, NOON), (), NOON + timedelta(seconds=1)) is CalendarVerdict.STALE


def test_a_day_has_at_least_23_hours() -> None:
    assert names_days(NOON, NOON + timedelta(hours=23))
    assert not names_days(NOON, NOON + timedelta(hours=22, minutes=59))
