"""What a reported side effect is: its words, its grade, when it came, and how urgent it is.

The five grades are our own wording, made for a person who fills in a diary alone.
Source: docs/side-effects.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from server.clinical import redflags
from server.clinical.policy import Policy
from server.clinical.redflags import Answers, Onset
from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.clinical.vocabulary import AlertClass

HOURS_A_DAY = 24
# As long as an entry may come in late; who remembers further back does not remember the day.
ONSET_LONGEST = timedelta(days=30)


class Window(StrEnum):
    """Whether an effect began in the hours after a session in which it is expected."""

    EXPECTED = "expected"
    OUTSIDE = "outside"
    NO_WINDOW = "no_window"
    UNKNOWN = "unknown"


class OnsetSource(StrEnum):
    """Where an onset comes from: the patient said when it began, or it is the time of the report."""

    STATED = "stated"
    REPORT = "report"


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
    """One reported effect: when it came, whether that is expected, and how urgent it is.

    ``onset_hours`` (one decimal) and ``onset_days`` (whole, ended) count from the last session before
    the onset; None where no session is known. ``outlasts_window``: it was reported when the hours in
    which it is expected were over; None where it has no such hours, or no session is known.
    """

    term: str
    grade: int
    onset_hours: float | None
    onset_days: int | None
    onset_source: OnsetSource
    window: Window
    outlasts_window: bool | None
    triage: AlertClass


def worded(term: str, grade: int) -> Wording:
    """Return the words of ``term`` at ``grade``."""
    said = GRADES[grade]
    return Wording(term, SIDE_EFFECTS[term].label, grade, said.label, said.text)


def details(answers: Answers, policy: Policy) -> tuple[Detail, ...]:
    """Return every effect that was there (grade 1 or more), the most urgent first, then the worst.

    What raises no red flag is P3: it is read with the rest.
    """
    present = [(term, grade) for term, grade in answers.side_effects.items() if grade > 0]
    if not present:
        return ()
    urgent = {flag.code: flag.urgency for flag in redflags.check(answers, policy)}
    found = (_detail(term, grade, answers, urgent) for term, grade in present)
    return tuple(sorted(found, key=lambda d: (d.triage, -d.grade, d.term)))


def window(term: str, onset_hours: float | None) -> Window:
    """Return whether ``term`` is expected to begin so many hours after a session (< 0: before it)."""
    expected = SIDE_EFFECTS[term].window_hours
    if expected is None:
        return Window.NO_WINDOW
    if onset_hours is None:
        return Window.UNKNOWN
    return Window.EXPECTED if 0 <= onset_hours <= expected else Window.OUTSIDE


def outlasts_window(term: str, hours: float | None) -> bool | None:
    """Return whether ``term``, there so many hours after a session, should have been gone by then."""
    expected = SIDE_EFFECTS[term].window_hours
    return None if expected is None or hours is None else hours > expected


def days_of(hours: float) -> int:
    """Return ``hours`` as ended days."""
    return int(hours // HOURS_A_DAY)


def onset_problems(
    onsets: Mapping[str, datetime], side_effects: Mapping[str, int], reported: datetime
) -> Iterator[tuple[str, str]]:
    """Yield each term whose stated onset can't be, and why, for effects felt at ``reported``."""
    for term, began in onsets.items():
        if not side_effects.get(term):
            yield term, "Is the onset of an effect that was not there."
        elif began > reported:
            yield term, "Lies after the moment the effect was felt."
        elif reported - began > ONSET_LONGEST:
            yield term, f"Lies more than {ONSET_LONGEST.days} days before the moment the effect was felt."


def _detail(term: str, grade: int, answers: Answers, urgent: Mapping[str, AlertClass]) -> Detail:
    stated = answers.onsets.get(term)
    onset = stated or Onset(answers.hours_since_session, 0.0)
    return Detail(
        term=term,
        grade=grade,
        onset_hours=None if onset.hours is None else round(onset.hours, 1),
        onset_days=None if onset.hours is None else days_of(onset.hours),
        onset_source=OnsetSource.STATED if stated else OnsetSource.REPORT,
        window=window(term, onset.hours),
        outlasts_window=outlasts_window(term, None if onset.hours is None else onset.hours + onset.lasted),
        triage=urgent.get(term, AlertClass.P3),
    )
