"""What happened after one session: reports of the same effect joined into one event.

Source: docs/side-effects.md, "Adverse events of a session".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from server.clinical.policy import Policy
from server.clinical.redflags import Answers
from server.clinical.side_effects import (
    OnsetSource,
    Window,
    Wording,
    days_of,
    details,
    outlasts_window,
    window,
    worded,
)
from server.clinical.vocabulary import AlertClass, EnteredBy


@dataclass(frozen=True, slots=True)
class Report:
    """One entry: when it was felt (``hours`` after the session, the local ``day``) and what it says."""

    entry_id: UUID
    hours: float
    day: date
    answers: Answers
    entered_by: EnteredBy


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """One effect from its onset to the report that says it is gone.

    ``worst`` words its highest grade, first reported ``worst_hours`` after the session on
    ``worst_reported_on``. ``onset_hours`` (one decimal) and ``onset_days`` (ended) count from the
    session to the earliest onset that was stated, or to the first report; < 0: it began before.
    ``window`` judges that onset, ``outlasts_window`` the last report. ``triage`` is the most urgent of
    its reports; ``resolved_on`` None: nobody has said that it is gone; ``entered_by``: whose hands
    made the entries, sorted.
    """

    worst: Wording
    worst_hours: float
    worst_reported_on: date
    onset_hours: float
    onset_days: int
    onset_source: OnsetSource
    window: Window
    outlasts_window: bool | None
    triage: AlertClass
    first_reported_on: date
    last_reported_on: date
    resolved_on: date | None
    entered_by: tuple[EnteredBy, ...]
    entries: tuple[UUID, ...]


def adverse_events(
    reports: Sequence[Report], until_hours: float | None, policy: Policy
) -> tuple[AdverseEvent, ...]:
    """Return the events of one session, in the order they began, then by term.

    ``reports`` are the entries from the session on, oldest first. Those from ``until_hours`` on (the
    next session) begin or carry on nothing, but may still say that an effect is gone. Only a reported
    grade 0 says so: an entry that does not mention an effect was not asked.
    """
    terms = sorted({term for report in reports for term in report.answers.side_effects})
    found = [
        _event(term, run, gone, policy) for term in terms for run, gone in _runs(term, reports, until_hours)
    ]
    return tuple(sorted(found, key=lambda event: (event.onset_hours, event.worst.term)))


def _runs(
    term: str, reports: Sequence[Report], until_hours: float | None
) -> Iterator[tuple[list[Report], date | None]]:
    """Yield the reports of each time ``term`` was there, and the day it was said to be gone."""
    run: list[Report] = []
    for report in reports:
        grade = report.answers.side_effects.get(term)
        if grade == 0 and run:
            yield run, report.day
            run = []
        elif grade and (until_hours is None or report.hours < until_hours):
            run.append(report)
    if run:
        yield run, None


def _event(term: str, run: Sequence[Report], gone: date | None, policy: Policy) -> AdverseEvent:
    worst = max(run, key=lambda report: report.answers.side_effects[term])  # the first of equals
    onset, source = _onset(term, run)
    return AdverseEvent(
        worst=worded(term, worst.answers.side_effects[term]),
        worst_hours=round(worst.hours, 1),
        worst_reported_on=worst.day,
        onset_hours=round(onset, 1),
        onset_days=days_of(onset),
        onset_source=source,
        window=window(term, onset),
        outlasts_window=outlasts_window(term, run[-1].hours),
        triage=min(_triage(term, report, policy) for report in run),
        first_reported_on=run[0].day,
        last_reported_on=run[-1].day,
        resolved_on=gone,
        entered_by=tuple(sorted({report.entered_by for report in run})),
        entries=tuple(report.entry_id for report in run),
    )


def _onset(term: str, run: Sequence[Report]) -> tuple[float, OnsetSource]:
    """Return the earliest onset that was stated, or the first report where none is before it."""
    told = [(report.hours, report.answers.onsets.get(term)) for report in run]
    # To less than a second: the difference of two fractions of hours is no exact number.
    stated = [round(hours - onset.lasted, 4) for hours, onset in told if onset]
    earliest = min(stated, default=None)
    if earliest is None or earliest > run[0].hours:
        return run[0].hours, OnsetSource.REPORT
    return earliest, OnsetSource.STATED


def _triage(term: str, report: Report, policy: Policy) -> AlertClass:
    return next(detail.triage for detail in details(report.answers, policy) if detail.term == term)
