"""What became of a visit: the response curve of its session, told once it can be told."""

import pytest

from server.clinical.durability import SessionCurve
from server.clinical.holding_time import Held
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.visit_outcome import VisitOutcome, outcome_of
from tests.clinical.diaries import day

# Three days settle, then the best week lies in 21 days, its middle three days before its end.
DECIDED = 27


def outcome(today: int, retreated: bool = False, **parts: object) -> VisitOutcome | None:
    curve = SessionCurve(day(0), day(today), retreated, **parts)  # type: ignore[arg-type]
    return outcome_of(curve, DEFAULT_POLICY, day(today))


def test_nothing_is_said_before_the_days_that_decide_it_are_over() -> None:
    assert outcome(DECIDED - 1, responded=True, held=Held(20)) is None
    assert outcome(DECIDED, responded=True, held=Held(20)) == VisitOutcome(True, 20, True, False)


@pytest.mark.parametrize(
    ("today", "retreated", "held", "found"),
    [
        (60, False, Held(55), VisitOutcome(True, 55, True, False)),
        # A better week within the next seven days takes a loss back; its last day is three days further.
        (44, False, Held(31, 35), VisitOutcome(True, 31, False, False)),
        (45, False, Held(31, 35), VisitOutcome(True, 31, False, True)),
        (10, True, Held(9), VisitOutcome(True, 9, True, True)),
        (365, False, Held(360), VisitOutcome(True, 360, True, False)),
        (366, False, Held(360), VisitOutcome(True, 360, True, True)),
    ],
)
def test_days_are_gained_until_the_benefit_is_half_lost_and_at_least_so_many_where_it_was_not(
    today: int, retreated: bool, held: Held, found: VisitOutcome
) -> None:
    assert outcome(today, retreated, responded=True, held=held) == found


def test_a_session_that_did_not_help_gained_nothing_and_one_without_days_is_not_judged() -> None:
    assert outcome(40, responded=False) == VisitOutcome(False, 0, False, True)
    assert outcome(40) == VisitOutcome(None, None, False, False)
    assert outcome(5, retreated=True) == VisitOutcome(None, None, False, True)
