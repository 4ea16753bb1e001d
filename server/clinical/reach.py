"""How much of a patient's past a judgement rests on: bounded by windows, not by years."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TypeVar

from server.clinical.baseline import Treatment
from server.clinical.columns import answered
from server.clinical.policy import Policy

T = TypeVar("T")

# So far apart lie the days on which a walk may begin: days that are near to each other look at the same
# days, and one walk serves them all.
STRIDE = timedelta(days=14)
# So many sessions with room for a window of their own are looked at: that of the newest may not be full.
_OWN = 2
_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reach:
    """Ranges of days (both included) whose entries count, and the sessions that do."""

    ranges: tuple[tuple[date, date], ...]
    treatments: tuple[Treatment, ...]

    def holds(self, day: date) -> bool:
        """Return whether what was said of ``day`` counts."""
        return any(first <= day <= last for first, last in self.ranges)

    def within(self, said: Sequence[tuple[date, T]]) -> Sequence[tuple[date, T]]:
        """Return what was ``said`` (days with what they say, at least one) of days that count."""
        days, (first, last) = [day for day, _ in said], self.ranges[0]
        if first <= min(days) and max(days) <= last:
            return said
        return [one for one in said if self.holds(one[0])]


def needed(
    sessions: Sequence[date], policy: Policy, first: date, last: date, begun: date = date.min
) -> Reach:
    """Return what judging ``first`` .. ``last`` needs.

    ``sessions``: the delivered ones, oldest first. ``begun``: the day of the first entry, where sessions may
    lie before it.
    """
    done = answered([day for day in sessions if day <= last], min(begun, first))
    walked = first - timedelta(days=walked_days(policy)), last
    if not done:
        return Reach((walked,), ())
    around, before = _around(policy), [day for day in done if day <= first]
    # The first window across close sessions may be the one in force however long ago it was.
    early = done[0] - timedelta(days=policy.whole("baseline.pre_days")), min(done[0] + around, last)
    near, ranges = done, [walked]
    if before:
        near = [day for day in done if day >= min(before[-1] - around, walked[0])]
        ranges.append((near[0], min(before[-1] + around, last)))
    own = _roomy(before, near, policy, first)
    ranges += [(day, min(day + around, after - _ONE)) for day, after in own]
    beginning = done[: bisect_right(done, early[1]) + 1]
    counted = sorted({*beginning, *near, *(day for pair in own for day in pair)})
    first_said = [(begun, begun)] if begun > date.min else []
    return Reach((*ranges, *first_said, early), tuple(map(Treatment, counted)))


def _roomy(
    before: Sequence[date], near: Sequence[date], policy: Policy, first: date
) -> Sequence[tuple[date, date]]:
    """Return sessions before the ``near`` ones whose own window may be in force, each with the next one.

    Where sessions follow too closely for a window of their own, the newest that had room is an old one;
    where its days were not logged, it is the one before.
    """
    room = policy.whole("baseline.settle_days") + policy.whole("baseline.window_days")
    gaps = pairwise([*before, max(first, *before) + _ONE]) if before else ()
    found = [pair for pair in gaps if (pair[1] - pair[0]).days >= room]
    return [pair for pair in found[-_OWN:] if pair[0] < near[0]]


def walked_days(policy: Policy) -> int:
    """Return how many days before a judged one a walk may begin, at most."""
    return policy.whole("relapse.window_days") + STRIDE.days - 1


def walk_start(begun: date, day: date, policy: Policy) -> date:
    """Return where the walk to ``day`` begins in an era whose baseline begins on ``begun``.

    At least ``relapse.window_days`` back, ``day`` among them, where the era is as old, and less than
    `STRIDE` more.
    """
    latest = day - timedelta(days=policy.whole("relapse.window_days") - 1)
    return begun + max((latest - begun) // STRIDE, 0) * STRIDE


def _around(policy: Policy) -> timedelta:
    """Return how far from a session the baseline after it may reach, with all it takes in as it grows."""
    grown = policy.whole("baseline.grow_days") - policy.whole("baseline.window_days")
    return timedelta(days=policy.whole("baseline.latest_days") + grown)
