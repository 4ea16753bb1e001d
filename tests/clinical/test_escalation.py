"""Nobody has answered yet: who is due to hear, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.escalation import EscalationFacts, due, exhausted, last_level
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.vocabulary import AlertClass

OPENED = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
P0, P1, P2, P3 = AlertClass


def level(urgency: AlertClass, minutes: float, **more: object) -> int:
    facts = replace(EscalationFacts(urgency, OPENED), **more)  # type: ignore[arg-type]
    return due(facts, DEFAULT_POLICY, OPENED + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("urgency", "minutes", "expected"),
    [
        *((P0, 0, 0), (P0, 14, 0), (P0, 15, 1), (P0, 30, 2), (P0, 60, 3), (P0, 119, 3)),
        *((P1, 119, 0), (P1, 120, 1), (P1, 240, 2), (P1, 1440, 3)),
        *((P2, 1439, 0), (P2, 1440, 1), (P2, 4320, 2)),
        (P3, 99999, 0),
    ],
)
def test_an_unanswered_alert_climbs_by_its_clock(urgency: AlertClass, minutes: int, expected: int) -> None:
    assert level(urgency, minutes) == expected


def test_only_the_next_business_day_waits_for_working_hours() -> None:
    assert level(P2, 1500, working=False) == 0
    assert level(P2, 1500, working=False, level=1) == 1
    assert level(P2, 1500, working=True) == 1
    assert level(P0, 60, working=False) == 3
    assert level(P1, 240, working=False) == 2


def test_an_acknowledgement_stops_the_climb() -> None:
    seen = OPENED + timedelta(minutes=20)
    assert level(P0, 49, acknowledged_at=seen) == 1


@pytest.mark.parametrize(("urgency", "contact"), [(P0, 30), (P1, 1440), (P2, 4320)])
def test_an_acknowledged_alert_that_is_forgotten_is_recalled_ever_more_rarely(
    urgency: AlertClass, contact: int
) -> None:
    seen = OPENED + timedelta(minutes=5)
    assert level(urgency, 5 + contact - 1, acknowledged_at=seen) == 0
    assert level(urgency, 5 + contact, acknowledged_at=seen) == 1
    assert level(urgency, 5 + 2 * contact, acknowledged_at=seen) == 2
    assert level(urgency, 5 + 4 * contact - 1, acknowledged_at=seen) == 2
    assert level(urgency, 5 + 4 * contact, acknowledged_at=seen) == 3


def test_a_digest_entry_is_never_forgotten_because_nobody_is_asked() -> None:
    assert level(P3, 99999, acknowledged_at=OPENED) == 0


def test_an_alert_that_nobody_takes_never_falls_silent() -> None:
    assert last_level(P0) == 3
    assert [level(P0, 60 * hours) for hours in (1, 2, 3, 48)] == [3, 4, 5, 50]


def test_it_is_said_when_everyone_was_told_and_nobody_answered() -> None:
    facts = EscalationFacts(P0, OPENED)
    assert not exhausted(facts, DEFAULT_POLICY, OPENED + timedelta(minutes=59))
    assert exhausted(facts, DEFAULT_POLICY, OPENED + timedelta(minutes=60))
    answered = replace(facts, acknowledged_at=OPENED + timedelta(minutes=1))
    assert not exhausted(answered, DEFAULT_POLICY, OPENED + timedelta(days=9))
    assert not exhausted(EscalationFacts(P3, OPENED), DEFAULT_POLICY, OPENED + timedelta(days=9))


@given(
    st.sampled_from(AlertClass), st.integers(0, 9999), st.integers(0, 9999), st.integers(0, 3), st.booleans()
)
def test_a_level_never_falls(urgency: AlertClass, first: int, more: int, reached: int, working: bool) -> None:
    before = level(urgency, first, level=reached, working=working)
    after = level(urgency, first + more, level=before, working=working)
    assert reached <= before <= after
