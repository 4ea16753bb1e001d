"""What changed after a session, in plain words for the patient: three averages of their own entries.

Nothing of the watch is in it: no state, no signal, no prediction. It compares the days before a
session, the days after it and the last days, and says so plainly where there are too few.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import fsum

from server.clinical.policy import Policy
from server.clinical.reaching import reaches
from server.clinical.readings import History
from server.clinical.series import COMPOSITE_ITEMS, Points, blend_points, item_points
from server.clinical.vocabulary import Arm

NO_SESSION = "No session has been recorded yet, so there is nothing to compare."


@dataclass(frozen=True, slots=True)
class Span:
    """An average of the composite over ``first`` .. ``last``: ``mean`` in points, higher is worse.

    ``mean`` is None where fewer days than needed were logged; ``days`` says how many were.
    """

    first: date
    last: date
    days: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class Response:
    """One arm: the sessions it is about (first and last day of a run of them), the averages, the words."""

    arm: Arm
    sessions: tuple[date, date] | None
    before: Span | None
    after: Span | None
    lately: Span | None
    sentences: tuple[str, ...]


def describe(history: History, arm: Arm, sessions: Sequence[date], policy: Policy, today: date) -> Response:
    """Return what the entries say about the latest delivered ``sessions`` (local days) as of ``today``.

    ``sessions`` are all of them: of a run that is cut short the days before would be days between.
    """
    if not sessions:
        return Response(arm, None, None, None, None, (NO_SESSION,))
    run = latest_run(sessions, policy.whole("baseline.pre_days"))
    before, after, lately = _windows(run, policy, today)
    first = before[0]
    points = _composite(history.between(first, today), arm, policy["composite.min_share"])
    need = policy.whole("data.min_days")
    spans = [_span(points, window, need) for window in (before, after)]
    recent = _span(points, lately, need) if lately[0] > after[1] else None
    words = _words(arm, run, (spans[0], spans[1], recent), policy["response.notable_change"])
    return Response(arm, run, spans[0], spans[1], recent, words)


def compared(sessions: Sequence[date], policy: Policy, today: date) -> Sequence["Window"]:
    """Return the days that `describe` compares, however long ago; none without a session."""
    return (
        _windows(latest_run(sessions, policy.whole("baseline.pre_days")), policy, today) if sessions else ()
    )


def latest_run(sessions: Sequence[date], apart: int) -> tuple[date, date]:
    """Return first and last day of the latest run of sessions: none more than ``apart`` days from the next.

    Inside such a run the days before a session are days after another one, and say nothing of
    how it was without.
    """
    days = sorted(sessions, reverse=True)
    first = days[0]
    for day in days:
        if (first - day).days > apart:
            break
        first = day
    return first, days[0]


Window = tuple[date, date]


def _windows(run: Window, policy: Policy, today: date) -> tuple[Window, Window, Window]:
    one = timedelta(days=1)
    start = run[1] + timedelta(days=policy.whole("baseline.settle_days"))
    end = start + timedelta(days=policy.whole("baseline.window_days")) - one
    week = today - timedelta(days=policy.whole("data.window_days")) + one
    return (
        (run[0] - timedelta(days=policy.whole("baseline.pre_days")), run[0] - one),
        (start, min(end, max(start, today))),  # never tells of days to come
        (week, today),
    )


def _composite(history: History, arm: Arm, min_share: float) -> Points:
    found = {key: item_points(history, key) for key in COMPOSITE_ITEMS[arm]}
    means: Mapping[str, float] = {k: fsum(v for _, v in p) / len(p) for k, p in found.items() if p}
    return blend_points(history, means, min_share)


def _span(points: Points, window: Window, need: int) -> Span:
    values = [value for day, value in points if window[0] <= day <= window[1]]
    mean = fsum(values) / len(values) if len(values) >= need else None
    return Span(*window, len(values), mean)


def _words(arm: Arm, run: Window, spans: tuple[Span, Span, Span | None], notable: float) -> tuple[str, ...]:
    before, after, lately = spans
    known = [span.mean for span in (before, after) if span.mean is not None]
    if len(known) < 2:
        where = "before" if before.mean is None else "after"
        said = (f"There are too few {arm} entries {where} {_named(run)} to compare.",)
    else:
        compared = _compared(known[1], known[0], notable)
        length = (before.last - before.first).days + 1
        said = (
            f"After {_named(run)}, from {_day(after.first)} to {_day(after.last)}, your {arm} entries were "
            f"{compared} in the {length} days before.",
        )
    return (*said, *_lately(arm, before, after, lately, notable))


def _lately(arm: Arm, before: Span, after: Span, lately: Span | None, notable: float) -> tuple[str, ...]:
    if lately is None:
        return ()
    length = (lately.last - lately.first).days + 1
    if lately.mean is None:
        return (f"In the last {length} days there are too few {arm} entries to compare.",)
    place, known = "in those days", after.mean
    if known is None:
        place, known = "in the days before", before.mean
    if known is None:
        return ()
    return (f"In the last {length} days they were {_compared(lately.mean, known, notable)} {place}.",)


def _compared(mean: float, other: float, notable: float) -> str:
    if not reaches(abs(mean - other), notable):
        return "about the same on average as"
    return f"{'better' if mean < other else 'worse'} on average than"


def _named(run: Window) -> str:
    if run[0] == run[1]:
        return f"your session on {_day(run[0])}"
    return f"your sessions from {_day(run[0])} to {_day(run[1])}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
