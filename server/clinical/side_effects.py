"""What a reported side effect is: its words, its grade, when it came, and how urgent it is.

The five grades are our own wording, made for a person who fills in a diary alone.
Source: docs/side-effects.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from server.clinical import redflags
from server.clinical.policy import Policy
from server.clinical.redflags import Answers
from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.clinical.vocabulary import AlertClass

HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Grade:
    """One severity, 0-4: a word for it and what it means to the person who has it."""

    grade: int
    label: str
    text: str


_GRADES = (
    Grade(0, "none", "I did not have it."),
    Grade(1, "mild", "I noticed it, and did everything as usual."),
    Grade(2, "moderate", "It got in the way of some of what I wanted to do."),
    Grade(3, "severe", "I could not do what I usually do, or needed somebody's help."),
    Grade(4, "emergency", "I needed urgent medical help, or need it now."),
)
GRADES = MappingProxyType({grade.grade: grade for grade in _GRADES})


@dataclass(frozen=True, slots=True)
class Wording:
    """One reported effect in plain words, and nothing concluded from it."""

    term: str
    label: str
    grade: int
    grade_label: str
    grade_text: str


@dataclass(frozen=True, slots=True)
class Detail:
    """One reported effect as a clinician reads it.

    ``onset_hours`` (one decimal) and ``onset_days`` (whole, ended) count from the last session to the
    report; None where no session is known. ``in_window``: whether that is inside the hours in which
    the effect is expected; None where it has no such window, or no session is known.
    """

    words: Wording
    onset_hours: float | None
    onset_days: int | None
    in_window: bool | None
    triage: AlertClass


def wordings(side_effects: Mapping[str, int]) -> tuple[Wording, ...]:
    """Return the words of every effect that was there (grade 1 or more), by term."""
    return tuple(_worded(term, grade) for term, grade in _present(side_effects))


def details(answers: Answers, policy: Policy) -> tuple[Detail, ...]:
    """Return every effect that was there, the most urgent first, then the worst, then by term.

    What raises no red flag is P3: it is read with the rest.
    """
    urgent = {flag.code: flag.urgency for flag in redflags.check(answers, policy)}
    found = (_detail(term, grade, answers, urgent) for term, grade in _present(answers.side_effects))
    return tuple(sorted(found, key=lambda d: (d.triage, -d.words.grade, d.words.term)))


def is_expected(term: str, hours_since_session: float | None) -> bool | None:
    """Return whether ``term`` is expected so many hours after a session; None where nobody can say."""
    window = SIDE_EFFECTS[term].window_hours
    if window is None or hours_since_session is None:
        return None
    return hours_since_session <= window


def _detail(term: str, grade: int, answers: Answers, urgent: Mapping[str, AlertClass]) -> Detail:
    hours = answers.hours_since_session
    return Detail(
        words=_worded(term, grade),
        onset_hours=None if hours is None else round(hours, 1),
        onset_days=None if hours is None else int(hours // HOURS_A_DAY),
        in_window=is_expected(term, hours),
        triage=urgent.get(term, AlertClass.P3),
    )


def _worded(term: str, grade: int) -> Wording:
    said = GRADES[grade]
    return Wording(term, SIDE_EFFECTS[term].label, grade, said.label, said.text)


def _present(side_effects: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    return ((term, grade) for term, grade in sorted(side_effects.items()) if grade > 0)
