"""What happened after one session: reports of the same effect joined into one event.

Source: docs/side-effects.md, "Adverse events of a session".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from server.clinical.policy import Policy
from server.clinical.redflags import Answers
from server.clinical.side_effects import Detail, Wording, details, is_expected
from server.clinical.vocabulary import AlertClass


@dataclass(frozen=True, slots=True)
class Report:
    """One entry: when it was felt (``hours`` after the session, the local ``day``) and what it says."""

    entry_id: UUID
    hours: float
    day: date
    side_effects: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """One effect from its first report to the one that says it is gone.

    ``worst`` words its highest grade; ``onset_hours`` is that of the first report; ``in_window`` says
    whether every report lies in the hours in which it is expected (None: it has none); ``triage`` is
    the most urgent; ``resolved_on`` None: nobody has said that it is gone.
    """

    worst: Wording
    onset_hours: float
    in_window: bool | None
    triage: AlertClass
    first_reported_on: date
    last_reported_on: date
    resolved_on: date | None
    entries: tuple[UUID, ...]


def adverse_events(
    reports: Sequence[Report], until_hours: float | None, policy: Policy
) -> tuple[AdverseEvent, ...]:
    """Return the events of one session, in the order they began, then by term.

    ``reports`` are the entries from the session on, oldest first. Those from ``until_hours`` on (the
    next session) begin or carry on nothing, but may still say that an effect is gone. Only a reported
    grade 0 says so: an entry that does not mention an effect was not asked.
    """
    terms = sorted({term for report in reports for term in report.side_effects})
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
        grade = report.side_effects.get(term)
        if grade == 0 and run:
            yield run, report.day
            run = []
        elif grade and (until_hours is None or report.hours < until_hours):
            run.append(report)
    if run:
        yield run, None


def _event(term: str, run: Sequence[Report], gone: date | None, policy: Policy) -> AdverseEvent:
    told = [_of_term(term, report, policy) for report in run]
    return AdverseEvent(
        worst=max((detail.words for detail in told), key=lambda words: words.grade),
        onset_hours=round(run[0].hours, 1),
        in_window=is_expected(term, run[-1].hours),
        triage=min(detail.triage for detail in told),
        first_reported_on=run[0].day,
        last_reported_on=run[-1].day,
        resolved_on=gone,
        entries=tuple(report.entry_id for report in run),
    )


def _of_term(term: str, report: Report, policy: Policy) -> Detail:
    answers = Answers(None, {term: report.side_effects[term]}, {}, report.hours)
    (detail,) = details(answers, policy)
    return detail
