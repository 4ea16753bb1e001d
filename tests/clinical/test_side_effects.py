"""What a reported side effect is: words, grade, onset, urgency; and the events of one session."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from server.clinical.adverse_events import AdverseEvent, Report, adverse_events
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.redflags import Answers
from server.clinical.side_effect_terms import SEVERITY_HIGH, SEVERITY_LOW, SIDE_EFFECTS
from server.clinical.side_effects import GRADES, details, is_expected, wordings

POLICY = DEFAULT_POLICY
SESSION = date(2026, 3, 2)


def answers(hours: float | None, **side_effects: int) -> Answers:
    return Answers(None, side_effects, {}, hours)


def report(number: int, hours: float, **side_effects: int) -> Report:
    return Report(UUID(int=number), hours, SESSION + timedelta(hours=12 + hours), side_effects)


def events(*reports: Report, until: float | None = None) -> list[AdverseEvent]:
    return list(adverse_events(reports, until, POLICY))


def test_every_grade_has_a_word_and_a_sentence_and_all_differ() -> None:
    assert list(GRADES) == [*range(SEVERITY_LOW, SEVERITY_HIGH + 1)]
    assert len({grade.label for grade in GRADES.values()}) == len({g.text for g in GRADES.values()}) == 5


@pytest.mark.parametrize("term", SIDE_EFFECTS)
@pytest.mark.parametrize("grade", [1, 2, 3, 4])
def test_every_term_at_every_grade_has_words_and_a_class(term: str, grade: int) -> None:
    (detail,) = details(answers(1, **{term: grade}), POLICY)
    (words,) = wordings({term: grade})
    assert detail.words == words
    assert (words.label, words.grade_label) == (SIDE_EFFECTS[term].label, GRADES[grade].label)


def test_what_was_not_there_is_not_listed() -> None:
    assert wordings({"nausea": 0}) == details(answers(1, nausea=0), POLICY) == ()


def test_the_most_urgent_comes_first_and_the_rest_is_p3() -> None:
    found = details(answers(30, nausea=2, chest_pain=1, headache=1, dissociation=1), POLICY)
    assert [(d.words.term, d.triage) for d in found] == [
        ("chest_pain", "P0"),
        ("dissociation", "P1"),
        ("nausea", "P3"),
        ("headache", "P3"),
    ]


@pytest.mark.parametrize(
    ("term", "hours", "expected"),
    [
        ("nausea", 24, True),
        ("nausea", 24.1, False),
        ("nausea", None, None),
        ("chest_pain", 1, None),
        ("insomnia", 72, True),
    ],
)
def test_an_effect_is_expected_for_as_long_as_its_term_says(
    term: str, hours: float | None, expected: bool | None
) -> None:
    assert is_expected(term, hours) is expected


def test_onset_counts_hours_and_ended_days_from_the_session() -> None:
    (late,) = details(answers(47.96, nausea=1), POLICY)
    (unknown,) = details(answers(None, nausea=1), POLICY)
    assert (late.onset_hours, late.onset_days) == (48.0, 1)
    assert (unknown.onset_hours, unknown.onset_days, unknown.in_window) == (None, None, None)


def test_reports_of_one_effect_are_one_event_with_its_worst_grade() -> None:
    (event,) = events(report(1, 2, nausea=1), report(2, 6, nausea=3), report(3, 20, nausea=2))
    assert (event.worst.grade, event.onset_hours, event.in_window) == (3, 2.0, True)
    assert event.triage == "P2"
    assert event.entries == (UUID(int=1), UUID(int=2), UUID(int=3))
    assert event.resolved_on is None


def test_only_a_reported_none_says_that_an_effect_is_gone() -> None:
    (event,) = events(report(1, 2, nausea=1), report(2, 20, headache=0), report(3, 50, nausea=0))
    assert event.resolved_on == SESSION + timedelta(days=2)
    assert event.last_reported_on == SESSION


def test_an_effect_that_comes_back_is_another_event() -> None:
    found = events(report(1, 2, nausea=1), report(2, 5, nausea=0), report(3, 30, nausea=1))
    assert [(e.onset_hours, e.in_window) for e in found] == [(2.0, True), (30.0, False)]
    assert [e.resolved_on is None for e in found] == [False, True]


def test_an_event_that_outlasts_its_window_is_not_an_expected_one() -> None:
    (event,) = events(report(1, 2, nausea=1), report(2, 30, nausea=1))
    assert (event.onset_hours, event.in_window) == (2.0, False)


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
