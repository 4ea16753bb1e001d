"""What suggested visits came to at a clinic: figures only. Source: docs/visits.md, "The yield report".

What was done is counted. What became of patients is withheld where fewer than `FEWEST` stand behind it:
an administrator reads this, and a figure about few people is about somebody.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """One suggestion. ``waited_days``: from the suggestion to the visit, where that took place.

    ``days_gained`` and ``at_least`` as in `VisitOutcome`; None where nothing is known yet.
    """

    reason: str
    state: SuggestionState
    approved: bool = False
    booked: bool = False
    waited_days: float | None = None
    decline: DeclineCode | None = None
    responded: bool | None = None
    days_gained: int | None = None
    at_least: bool = False


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

    ``median`` takes those into account (Kaplan-Meier); None where withheld, or where more than half hold.
    """

    visits: int
    at_least: int
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


def report(tracked: Sequence[Tracked]) -> Report:
    """Return the yield of ``tracked``."""
    reasons = sorted({one.reason for one in tracked})
    return Report(
        yield_of(tracked),
        {reason: yield_of([one for one in tracked if one.reason == reason]) for reason in reasons},
    )


def yield_of(tracked: Sequence[Tracked]) -> Yield:
    """Count one group."""
    states = Counter(one.state for one in tracked)
    declined = Counter(one.decline for one in tracked if one.decline is not None)
    ended = (_S.FULFILLED, _S.NOSHOW, _S.CANCELLED, _S.DECLINED, _S.WITHDRAWN, _S.EXPIRED, _S.SUPERSEDED)
    return Yield(
        suggested=len(tracked),
        approved=sum(one.approved for one in tracked),
        booked=sum(one.booked for one in tracked),
        fulfilled=states[_S.FULFILLED],
        noshow=states[_S.NOSHOW],
        cancelled=states[_S.CANCELLED],
        declined={code: declined[code] for code in DeclineCode if code in declined},
        dismissed=states[_S.WITHDRAWN],
        expired=states[_S.EXPIRED],
        superseded=states[_S.SUPERSEDED],
        under_way=len(tracked) - sum(states[state] for state in ended),
        days_to_visit=_waited(tracked),
        responses=_responses(tracked),
        days_gained=_gained(tracked),
    )


def held_median(times: Sequence[tuple[int, bool]]) -> int | None:
    """Return by which day half are lost, of (days, whether it held for longer than was seen); or None.

    Kaplan-Meier: one that was seen to hold for so long counts until then, and says nothing of later.
    """
    share = Fraction(1)
    for day in sorted({days for days, at_least in times if not at_least}):
        followed = sum(days >= day for days, _ in times)
        lost = sum(days == day and not at_least for days, at_least in times)
        share *= 1 - Fraction(lost, followed)
        if share <= _HALF:
            return day
    return None


def months_before(day: date, months: int) -> date:
    """Return the first day of the month that lies ``months`` - 1 before that of ``day``: whole months."""
    number = day.year * 12 + day.month - months
    return date(number // 12, number % 12 + 1, 1)


def _waited(tracked: Sequence[Tracked]) -> Waited:
    days = [one.waited_days for one in tracked if one.waited_days is not None]
    return Waited(len(days), median(days) if len(days) >= FEWEST else None)


def _responses(tracked: Sequence[Tracked]) -> Responses:
    known = [one.responded for one in tracked if one.responded is not None]
    if len(known) < FEWEST:
        return Responses(len(known), None, None)
    return Responses(len(known), sum(known), sum(known) / len(known))


def _gained(tracked: Sequence[Tracked]) -> Gained:
    times = [(one.days_gained, one.at_least) for one in tracked if one.days_gained is not None]
    found = held_median(times) if len(times) >= FEWEST else None
    return Gained(len(times), sum(at_least for _, at_least in times), found)
