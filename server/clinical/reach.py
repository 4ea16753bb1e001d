"""How much of a patient's past a judgement rests on: bounded by windows, not by years."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.clinical.baseline import Treatment
from server.clinical.policy import Policy


@dataclass(frozen=True, slots=True)
class Reach:
    """Ranges of days (both included) whose entries count, and the sessions that do."""

    ranges: tuple[tuple[date, date], ...]
    treatments: tuple[Treatment, ...]

    def holds(self, day: date) -> bool:
        """Return whether what was said of ``day`` counts."""
        return any(first <= day <= last for first, last in self.ranges)


def needed(sessions: Sequence[date], policy: Policy, first: date, last: date) -> Reach:
    """Return what judging ``first`` .. ``last`` needs. ``sessions``: the delivered ones, oldest first."""
    done = [day for day in sessions if day <= last]
    before = [day for day in done if day <= first]
    ranges = [(first - timedelta(days=policy.whole("relapse.window_days")), last)]
    near, around = done, _around(policy)
    if before:
        near = [day for day in done if day >= before[-1] - around]
        ranges.append((near[0], min(before[-1] + around, last)))
    if done:
        ranges.append((done[0] - timedelta(days=policy.whole("baseline.pre_days")), done[0]))
    return Reach(tuple(ranges), tuple(Treatment(day) for day in dict.fromkeys((*done[:1], *near))))


def _around(policy: Policy) -> timedelta:
    """Return how far from a session the baseline after it may reach, with all it takes in as it grows."""
    grown = policy.whole("baseline.grow_days") - policy.whole("baseline.window_days")
    return timedelta(days=policy.whole("baseline.latest_days") + grown)
