"""What a reported side effect is: words, grade, onset, window, urgency."""

from datetime import UTC, datetime, timedelta

import pytest

from server.clinical.policy import DEFAULT_POLICY
from server.clinical.redflags import Answers, Onset
from server.clinical.side_effect_terms import SEVERITY_HIGH, SEVERITY_LOW, SIDE_EFFECTS
from server.clinical.side_effects import (
    GRADES,
    ONSET_LONGEST,
    Detail,
    details,
    onset_problems,
    outlasts_window,
    window,
    worded,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def told(hours: float | None, onsets: dict[str, Onset] | None = None, **side_effects: int) -> list[Detail]:
    return list(details(Answers(None, side_effects, {}, hours, onsets or {}), DEFAULT_POLICY))


def test_every_grade_has_a_word_and_a_sentence_and_all_differ() -> None:
    assert list(GRADES) == [*range(SEVERITY_LOW, SEVERITY_HIGH + 1)]
    assert len({grade.label for grade in GRADES.values()}) == len({g.text for g in GRADES.values()}) == 5


@pytest.mark.parametrize("grade", [1, 2, 3, 4])
def test_every_term_at_every_grade_has_words_and_a_class(grade: int) -> None:
    for term in SIDE_EFFECTS:
        (detail,) = told(1, **{term: grade})
        words = worded(term, grade)
        assert (detail.term, detail.grade) == (words.term, words.grade) == (term, grade)
        assert (words.label, words.grade_label) == (SIDE_EFFECTS[term].label, GRADES[grade].label)


def test_what_was_not_there_is_not_listed() -> None:
    assert told(1, nausea=0) == []


def test_the_most_urgent_comes_first_and_the_rest_is_p3() -> None:
    found = told(30, nausea=2, chest_pain=1, headache=1, dissociation=1)
    assert [(d.term, d.triage) for d in found] == [
        ("chest_pain", "P0"),
        ("dissociation", "P1"),
        ("nausea", "P3"),
        ("headache", "P3"),
    ]


@pytest.mark.parametrize(
    ("term", "hours", "expected", "outlasts"),
    [
        ("nausea", 0, "expected", False),
        ("nausea", 24, "expected", False),
        ("nausea", 24.1, "outside", True),
        ("nausea", -0.1, "outside", False),
        ("nausea", None, "unknown", None),
        ("chest_pain", 1, "no_window", None),
        ("chest_pain", None, "no_window", None),
        ("insomnia", 72, "expected", False),
        ("dissociation", 2, "expected", False),
        ("dissociation", 8, "outside", True),
    ],
)
def test_an_effect_is_expected_for_as_long_as_its_term_says(
    term: str, hours: float | None, expected: str, outlasts: bool | None
) -> None:
    assert (window(term, hours), outlasts_window(term, hours)) == (expected, outlasts)


def test_onset_counts_hours_and_ended_days_from_the_session() -> None:
    (late,) = told(47.96, nausea=1)
    (unknown,) = told(None, nausea=1)
    assert (late.onset_hours, late.onset_days, late.onset_source) == (48.0, 1, "report")
    assert (unknown.onset_hours, unknown.onset_days, unknown.window) == (None, None, "unknown")


def test_an_onset_that_the_patient_states_takes_the_place_of_the_report() -> None:
    (stated,) = told(30, {"nausea": Onset(2.0, 28.0)}, nausea=1)
    assert (stated.onset_hours, stated.onset_days, stated.onset_source) == (2.0, 0, "stated")
    assert (stated.window, stated.outlasts_window) == ("expected", True)


def test_an_effect_stated_to_have_begun_before_any_session_has_no_known_window() -> None:
    (stated,) = told(2, {"nausea": Onset(None, 5.0)}, nausea=1)
    assert (stated.onset_hours, stated.window, stated.outlasts_window) == (None, "unknown", None)


@pytest.mark.parametrize(
    ("hours", "onset", "triage"),
    [
        (2, Onset(1, 1), "P3"),  # began with the session, hours ago
        (30, Onset(1, 29), "P1"),  # began with the session, and is still there a day later
        (2, Onset(30, 100), "P1"),  # began long after the session before
        (2, Onset(None, 3), "P1"),  # was there before any session
    ],
)
def test_a_stated_onset_can_make_an_effect_late_but_never_early(
    hours: float, onset: Onset, triage: str
) -> None:
    (stated,) = told(hours, {"hallucination": onset}, hallucination=1)
    assert stated.triage == triage


def test_an_onset_is_of_an_effect_that_was_there_before_it_was_felt_and_not_too_long_ago() -> None:
    side_effects = {"nausea": 1, "headache": 1, "fall": 0, "memory": 2}
    began = {
        "nausea": NOW + timedelta(seconds=1),
        "headache": NOW - ONSET_LONGEST - timedelta(seconds=1),
        "fall": NOW,
        "seizure": NOW,
        "memory": NOW - ONSET_LONGEST,
    }
    problems = dict(onset_problems(began, side_effects, NOW))
    assert list(problems) == ["nausea", "headache", "fall", "seizure"]
    assert len(set(problems.values())) == 3
    assert not list(onset_problems({"nausea": NOW}, side_effects, NOW))
