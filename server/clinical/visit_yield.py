"""What suggested visits came to at a clinic: figures only. Source: docs/visits.md, "The yield report".

What was done is counted. What became of patients is withheld where fewer than `FEWEST` stand behind it:
an administrator reads this, and a figure about few people is about somebody. Likewise where the rows that
are told leave only few of the total.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from statistics import median

from server.clinical.vocabulary import DeclineCode, SuggestionState

FEWEST = 5
MONTHS, MOST_MONTHS = 12, 36
_HALF = Fraction(1, 2)
_S = SuggestionState


@dataclass(frozen=True, slots=True)
class Tracked:
    """One suggestion, or ``count`` that are alike.

    ``days_gained`` and ``at_least`` as in `VisitOutcome`; None where nothing is known yet.
    """

    reason: str
    state: SuggestionState
    approved: bool = False
    booked: bool = False
    decline: DeclineCode | None = None
    responded: bool | None = None
    days_gained: int | None = None
    at_least: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True)
class Waited:
    """Days from suggestion to visit: their median, None where withheld; of how many visits."""

    visits: int
    median: float | None


@dataclass(frozen=True, slots=True)
class Responses:
    """After how many visits it is known whether they helped; how many did, and their share (0-1).

    The last two are None where withheld.
    """

    known: int
    responded: int | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Gained:
    """Days the benefit held after ``visits`` visits, ``at_least`` of them for longer than was seen.

    ``median`` takes those into account (Kaplan-Meier). Both are None where withheld, the median also where
    more than half hold.
    """

    visits: int
    at_least: int | None
    median: int | None


@dataclass(frozen=True, slots=True)
class Yield:
    """How many suggestions got how far, and what came of them."""

    suggested: int
    approved: int
    booked: int
    fulfilled: int
    noshow: int
    cancelled: int
    declined: Mapping[DeclineCode, int]
    dismissed: int
    expired: int
    superseded: int
    under_way: int
    days_to_visit: Waited
    responses: Responses
    days_gained: Gained


@dataclass(frozen=True, slots=True)
class Report:
    """All suggestions together, and by why they were made (in the order of the words)."""

    total: Yield
    by_reason: Mapping[str, Yield]


def report(tracked: Sequence[Tracked], waited: Mapping[str, Sequence[float]]) -> Report:
    """Return the yield of ``tracked``.

    ``waited``: by reason, days from the suggestion to the visit, of each visit that took place.
    """
    reasons = sorted({one.reason for one in tracked})
    apart = {
        reason: yield_of([one for one in tracked if one.reason == reason], waited.get(reason, ()))
        for reason in reasons
    }
    return Report(
        yield_of(tracked, [days for some in waited.values() for days in some]),
        _not_to_be_worked_out(apart),
    )


def withheld(counts: Mapping[str, int]) -> frozenset[str]:
    """Return the rows that tell nothing: those of few, and more of them until what all others leave of the
    total is about enough people."""
    hidden: set[str] = set()
    for row in sorted(counts, key=lambda row: (counts[row], row)):
        if counts[row] < FEWEST or 0 < sum(counts[one] for one in hidden) < FEWEST:
            hidden.add(row)
    return frozenset(hidden)


def _not_to_be_worked_out(apart: Mapping[str, Yield]) -> Mapping[str, Yield]:
    """Return the rows without what, taken from the total, would tell of few in another one."""
    unknown = withheld({row: one.responses.known for row, one in apart.items()})
    untold = withheld({row: one.days_gained.visits for row, one in apart.items()})
    return {
        row: replace(
            one,
            responses=Responses(one.responses.known, None, None) if row in unknown else one.responses,
            days_gained=Gained(one.days_gained.visits, None, None) if row in untold else one.days_gained,
        )
        for row, one in apart.items()
    }


def yield_of(tracked: Sequence[Tracked], waited: Sequence[float] = ()) -> Yield:
    """Count one group."""
    states: Counter[SuggestionState] = Counter()
    declined: Counter[DeclineCode | None] = Counter()
    for one in tracked:
        states[one.state] += one.count
        declined[one.decline] += one.count
    ended = (_S.FULFILLED, _S.NOSHOW, _S.CANCELLED, _S.DECLINED, _S.WITHDRAWN, _S.EXPIRED, _S.SUPERSEDED)
    return Yield(
        suggested=states.total(),
        approved=sum(one.count for one in tracked if one.approved),
        booked=sum(one.count for one in tracked if one.booked),
        fulfilled=states[_S.FULFILLED],
        noshow=states[_S.NOSHOW],
        cancelled=states[_S.CANCELLED],
        declined={code: declined[code] for code in DeclineCode if code in declined},
        dismissed=states[_S.WITHDRAWN],
        expired=states[_S.EXPIRED],
        superseded=states[_S.SUPERSEDED],
        under_way=states.total() - sum(states[state] for state in ended),
        days_to_visit=_waited(waited),
        responses=_responses(tracked),
        days_gained=_gained(tracked),
    )


def held_median(times: Iterable[tuple[int, bool]] | Mapping[tuple[int, bool], int]) -> int | None:
    """Return by which day half are lost, of (days, whether it held for longer than was seen); or None.

    ``times``: each of them, or how many there are of each. Kaplan-Meier: one that was seen to hold for so
    long counts until then, and says nothing of later.
    """
    counted = Counter(times)
    share, followed = Fraction(1), counted.total()
    for day in sorted({days for days, _ in counted}):
        lost = counted[day, False]
        share *= 1 - Fraction(lost, followed)
        if share <= _HALF:
            return day
        followed -= lost + counted[day, True]
    return None


def months_before(day: date, months: int) -> date:
    """Return the first day of the month that lies ``months`` - 1 before that of ``day``: whole months."""
    number = day.year * 12 + day.month - months
    return date(number // 12, number % 12 + 1, 1)


def _waited(days: Sequence[float]) -> Waited:
    return Waited(len(days), median(days) if len(days) >= FEWEST else None)


def _responses(tracked: Sequence[Tracked]) -> Responses:
    known = sum(one.count for one in tracked if one.responded is not None)
    if known < FEWEST:
        return Responses(known, None, None)
    helped = sum(one.count for one in tracked if one.responded)
    return Responses(known, helped, helped / known)


def _gained(tracked: Sequence[Tracked]) -> Gained:
    times: Counter[tuple[int, bool]] = Counter()
    for one in tracked:
        if one.days_gained is not None:
            times[one.days_gained, one.at_least] += one.count
    if times.total() < FEWEST:
        return Gained(times.total(), None, None)
    at_least = sum(count for (_, still), count in times.items() if still)
    return Gained(times.total(), at_least, held_median(times))
