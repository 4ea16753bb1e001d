"""When Bo hears that nobody has looked at a visit she approved."""

from datetime import UTC, datetime, timedelta

import pytest

from server.clinical.policy import DEFAULT_POLICY
from server.clinical.unseen import Waiting, due_round
from server.clinical.vocabulary import AlertClass

SINCE = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
P1, P2, P3 = AlertClass.P1, AlertClass.P2, AlertClass.P3


@pytest.mark.parametrize(
    ("urgency", "told", "now", "number"),
    [
        (P2, None, 23.99, None),
        (P2, None, 24, 1),
        (P1, None, 24, 1),
        (P3, None, 71.99, None),
        (P3, None, 72, 1),
        (P2, 24, 47.99, None),
        (P2, 24, 48, 2),
        (P2, None, 90, 3),
        (P2, 90, 113, None),
        (P2, 90, 114, 4),
    ],
)
def test_it_is_told_once_a_limit_counted_from_the_last_telling(
    urgency: AlertClass, told: float | None, now: float, number: int | None
) -> None:
    told_at = None if told is None else SINCE + timedelta(hours=told)
    waiting = Waiting(SINCE, told_at, urgency)
    assert due_round(waiting, DEFAULT_POLICY, SINCE + timedelta(hours=now)) == number


@pytest.mark.parametrize(
    ("told", "now", "number"),
    [(None, 71.99, None), (None, 72, 1), (-5, 71.99, None), (-5, 72, 1), (72, 143, None), (72, 144, 2)],
)
def test_what_somebody_has_in_hand_is_asked_for_later_and_counted_anew(
    told: float | None, now: float, number: int | None
) -> None:
    told_at = None if told is None else SINCE + timedelta(hours=told)
    waiting = Waiting(SINCE, told_at, P2, in_hand=True)
    assert due_round(waiting, DEFAULT_POLICY, SINCE + timedelta(hours=now)) == number
