"""The adverse events of one session: what is joined, and what is kept of each report."""

from datetime import date, timedelta
from uuid import UUID

from server.clinical.adverse_events import AdverseEvent, Report, adverse_events
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.redflags import Answers, Onset
from server.clinical.vocabulary import EnteredBy

SESSION = date(2026, 3, 2)
PATIENT, CAREGIVER = EnteredBy.PATIENT, EnteredBy.CAREGIVER


def report(
    number: int, hours: float, hand: EnteredBy = PATIENT, began: float | None = None, **side_effects: int
) -> Report:
    """Return a report so many ``hours`` after the session; ``began``: when, in the same hours."""
    onsets = {} if began is None else {term: Onset(max(began, 0), hours - began) for term in side_effects}
    said = Answers(None, side_effects, {}, hours, onsets)
    return Report(UUID(int=number), hours, SESSION + timedelta(hours=12 + hours), said, hand)


def events(*reports: Report, until: float | None = None) -> list[AdverseEvent]:
    return list(adverse_events(reports, until, DEFAULT_POLICY))


def test_reports_of_one_effect_are_one_event_with_its_worst_grade() -> None:
    (event,) = events(report(1, 2, nausea=1), report(2, 6, nausea=3), report(3, 20, nausea=2))
    assert (event.worst.grade, event.onset_hours, event.outlasts_window) == (3, 2.0, False)
    assert event.triage == "P2"
    assert event.entries == (UUID(int=1), UUID(int=2), UUID(int=3))
    assert event.resolved_on is None


def test_a_later_worsening_is_not_dated_to_the_onset() -> None:
    (event,) = events(report(1, 1, headache=1), report(2, 75, headache=4), report(3, 80, headache=4))
    assert (event.onset_hours, event.onset_days, event.first_reported_on) == (1.0, 0, SESSION)
    assert (event.worst.grade, event.worst_hours) == (4, 75.0)
    assert event.worst_reported_on == event.last_reported_on == SESSION + timedelta(days=3)
    assert event.triage == "P0"


def test_the_onset_is_the_earliest_that_was_stated_or_the_first_report() -> None:
    (first,) = events(report(1, 5, nausea=1), report(2, 8, nausea=1))
    (stated,) = events(report(1, 5, nausea=1), report(2, 8, began=1.5, nausea=1))
    (later,) = events(report(1, 5, nausea=1), report(2, 30, began=26, nausea=1))
    assert [(e.onset_hours, e.onset_source) for e in (first, stated, later)] == [
        (5.0, "report"),
        (1.5, "stated"),
        (5.0, "report"),
    ]


def test_an_effect_from_before_the_session_is_not_put_down_to_it() -> None:
    (event,) = events(report(1, 2, began=-30, headache=1))
    assert (event.onset_hours, event.onset_days, event.window) == (-30.0, -2, "outside")


def test_a_caregivers_hand_is_seen_on_the_event() -> None:
    own, both = report(1, 2, nausea=1), report(2, 3, CAREGIVER, nausea=1)
    assert events(own)[0].entered_by == (PATIENT,)
    assert events(own, both)[0].entered_by == (CAREGIVER, PATIENT)


def test_only_a_reported_none_says_that_an_effect_is_gone() -> None:
    (event,) = events(report(1, 2, nausea=1), report(2, 20, headache=0), report(3, 50, nausea=0))
    assert event.resolved_on == SESSION + timedelta(days=2)
    assert event.last_reported_on == SESSION


def test_an_effect_that_comes_back_is_another_event() -> None:
    found = events(report(1, 2, nausea=1), report(2, 5, nausea=0), report(3, 30, nausea=1))
    assert [(e.onset_hours, e.window) for e in found] == [(2.0, "expected"), (30.0, "outside")]
    assert [e.resolved_on is None for e in found] == [False, True]


def test_an_event_that_outlasts_its_window_says_so() -> None:
    (event,) = events(report(1, 2, nausea=1), report(2, 30, began=2, nausea=1))
    assert (event.onset_hours, event.window, event.outlasts_window) == (2.0, "expected", True)


def test_what_begins_after_the_next_session_belongs_to_that_one() -> None:
    reports = (report(1, 2, nausea=2), report(2, 168, nausea=4), report(3, 170, headache=1))
    (event,) = events(*reports, until=168)
    assert (event.worst.grade, event.entries) == (2, (UUID(int=1),))


def test_that_an_effect_is_gone_may_be_said_after_the_next_session() -> None:
    (event,) = events(report(1, 160, memory=1), report(2, 200, memory=0), until=168)
    assert event.resolved_on == SESSION + timedelta(hours=212)


def test_events_come_in_the_order_they_began() -> None:
    found = events(report(1, 2, sedation=1), report(2, 3, nausea=1, headache=1))
    assert [e.worst.term for e in found] == ["sedation", "headache", "nausea"]


def test_each_effect_is_as_urgent_as_it_is_itself_and_not_as_what_was_told_with_it() -> None:
    told = {event.worst.term: event.triage for event in events(report(1, 3, nausea=1, headache=4))}
    assert told == {"headache": "P0", "nausea": "P3"}


def test_of_several_stated_onsets_the_earliest_counts_and_one_at_the_first_report_is_stated() -> None:
    (two,) = events(report(1, 5, began=3, nausea=1), report(2, 8, began=1, nausea=1))
    (at_once,) = events(report(1, 5, began=5, nausea=1))
    assert (two.onset_hours, two.onset_source) == (1.0, "stated")
    assert (at_once.onset_hours, at_once.onset_source) == (5.0, "stated")


def test_hours_are_told_to_a_tenth() -> None:
    (event,) = events(report(1, 2.04, nausea=1), report(2, 6.26, nausea=2))
    assert (event.onset_hours, event.worst_hours) == (2.0, 6.3)
