"""Nobody has answered yet: who is due to hear, when, and how loud."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical import escalation
from server.clinical.escalation import EscalationFacts, Waited, due, exhausted, last_level
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.vocabulary import AlertClass

P0, P1, P2, P3 = AlertClass


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def facts(
    urgency: AlertClass, absolute: float, *, working: float | None = None, business: float | None = None
) -> EscalationFacts:
    """An alert that waited so many minutes; working and business minutes are the same where not said."""
    waited = (absolute, absolute if working is None else working, absolute if business is None else business)
    return EscalationFacts(urgency, Waited(*map(minutes, waited)))


def level(urgency: AlertClass, absolute: float, **more: float) -> int:
    return due(facts(urgency, absolute, **more), DEFAULT_POLICY)


@pytest.mark.parametrize(
    ("urgency", "waited", "expected"),
    [
        *((P0, 0, 0), (P0, 14, 0), (P0, 15, 1), (P0, 30, 2), (P0, 60, 3), (P0, 119, 3)),
        *((P1, 119, 0), (P1, 120, 1), (P1, 240, 2), (P1, 1440, 3)),
        *((P2, 1439, 0), (P2, 1440, 1), (P2, 4320, 2)),
        (P3, 99999, 0),
    ],
)
def test_an_unanswered_alert_climbs_by_its_clock(urgency: AlertClass, waited: int, expected: int) -> None:
    assert level(urgency, waited) == expected


def test_an_emergency_counts_every_minute_and_an_urgent_alert_the_working_ones() -> None:
    assert level(P0, 60, working=0, business=0) == 3
    assert level(P1, 600, working=119) == 0
    assert level(P1, 600, working=120) == 1
    assert level(P1, 600, working=240) == 2


def test_an_urgent_alert_has_a_hard_limit_whatever_the_hour() -> None:
    assert level(P1, 1439, working=0) == 0
    assert level(P1, 1440, working=0) == 3


def test_a_relapse_counts_days_the_clinic_works_and_climbs_only_while_it_does() -> None:
    assert level(P2, 4000, business=1439) == 0
    assert level(P2, 4000, business=1440) == 1
    at_night = EscalationFacts(P2, Waited(minutes(4000), minutes(0), minutes(4000)), working=False)
    assert due(at_night, DEFAULT_POLICY) == 0


def test_an_alert_that_nobody_takes_never_falls_silent() -> None:
    assert last_level(P0) == 3
    assert [level(P0, 60 * hours) for hours in (1, 2, 3, 48)] == [3, 4, 5, 50]


def test_it_is_said_when_everyone_was_told_and_nobody_answered() -> None:
    assert not exhausted(facts(P0, 74), DEFAULT_POLICY)
    assert exhausted(facts(P0, 75), DEFAULT_POLICY)
    assert not exhausted(facts(P1, 1559), DEFAULT_POLICY)
    assert exhausted(facts(P1, 1560, working=0), DEFAULT_POLICY)
    assert not exhausted(facts(P3, 99999), DEFAULT_POLICY)


@pytest.mark.parametrize(("urgency", "contact"), [(P0, 30), (P1, 1440), (P2, 4320), (P3, 4320)])
def test_an_acknowledgement_holds_for_the_contact_clock(urgency: AlertClass, contact: int) -> None:
    assert escalation.acknowledged_for(urgency, DEFAULT_POLICY) == minutes(contact)


@pytest.mark.parametrize(("urgency", "longest"), [(P0, 30), (P1, 480), (P2, 10080), (P3, 10080)])
def test_the_more_urgent_the_shorter_it_may_be_put_off(urgency: AlertClass, longest: int) -> None:
    assert escalation.longest_snooze(urgency, DEFAULT_POLICY) == minutes(longest)


def test_an_emergency_uses_every_way_and_anything_else_one_more_a_level() -> None:
    assert escalation.ways_at_once(P0, 0, 3) == 3
    assert [escalation.ways_at_once(P1, n, 3) for n in range(4)] == [1, 2, 3, 3]
    assert escalation.ways_at_once(P2, 5, 1) == 1


def test_who_is_not_reached_in_five_minutes_is_told_another_way() -> None:
    assert escalation.next_way_after(DEFAULT_POLICY) == minutes(5)


@given(
    st.sampled_from(AlertClass), st.integers(0, 9999), st.integers(0, 9999), st.integers(0, 3), st.booleans()
)
def test_a_level_never_falls(urgency: AlertClass, first: int, more: int, reached: int, working: bool) -> None:
    def reached_at(absolute: int, before: int) -> int:
        waited = Waited(*[minutes(absolute)] * 3)
        return due(EscalationFacts(urgency, waited, before, working), DEFAULT_POLICY)

    before = reached_at(first, reached)
    assert reached <= before <= reached_at(first + more, before)


@pytest.mark.parametrize(("urgency", "climbs"), [(P0, True), (P1, True), (P2, False), (P3, False)])
def test_only_what_can_wait_for_the_morning_does(urgency: AlertClass, climbs: bool) -> None:
    at_night = EscalationFacts(urgency, Waited(*[minutes(99999)] * 3), working=False)
    assert escalation.may_climb(at_night) is climbs
