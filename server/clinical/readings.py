"""One day's numbers as a value (`Reading`) and the run of them with its gaps (`History`)."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import fsum
from operator import attrgetter
from typing import NamedTuple

from server.clinical.vocabulary import ITEMS, Arm, symptom

Items = Mapping[str, float]
_DAY = attrgetter("day")

_WORST, _BEST = frozenset({"pain_worst"}), frozenset({"pain_least"})


class Reading(NamedTuple):
    """What one local day says: item key -> value in the item's own unit and direction."""

    day: date
    items: Items

    def symptom(self, key: str) -> float | None:
        """Return item ``key`` as "higher is worse", or None where the day does not say."""
        value = self.items.get(key)
        return None if value is None else symptom(key, value)


@dataclass(frozen=True, slots=True)
class History:
    """Readings in day order, at most one a day. Days without one are gaps, never zeros."""

    readings: tuple[Reading, ...] = ()

    def between(self, first: date, last: date) -> "History":
        """Return the readings of ``first`` .. ``last``, both included."""
        start = bisect_left(self.readings, first, key=_DAY)
        return History(self.readings[start : bisect_right(self.readings, last, lo=start, key=_DAY)])

    def days(self) -> tuple[date, ...]:
        """Return the days that have a reading, oldest first."""
        return tuple(r.day for r in self.readings)


def fold(observations: Iterable[tuple[date, Items]]) -> History:
    """Fold any number of entries a day into one reading a day.

    Rule: the mean of the day's values of each item; the highest for ``pain_worst`` and the lowest
    for ``pain_least``. The result does not depend on the order of ``observations``.
    """
    said = list(observations)
    days = dict(said)
    if len(days) < len(said):  # few log twice a day
        days = _folded(said)
    return History(tuple([Reading(day, dict(days[day])) for day in sorted(days)]))


def arms_of(history: History) -> tuple[Arm, ...]:
    """Return the arms whose own items appear in the history (sleep and function speak for both)."""
    keys = frozenset[str]().union(*(reading.items for reading in history.readings))
    return tuple(arm for arm in Arm if any(ITEMS[key].arms == {arm} for key in keys))


def _folded(said: Iterable[tuple[date, Items]]) -> dict[date, Items]:
    by_day: dict[date, list[Items]] = defaultdict(list)
    for day, items in said:
        by_day[day].append(items)
    return {day: _fold_day(entries) for day, entries in by_day.items()}


def _fold_day(entries: Sequence[Items]) -> Items:
    if len(entries) == 1:
        return entries[0]
    values: dict[str, list[float]] = defaultdict(list)
    for items in entries:
        for key, value in items.items():
            values[key].append(value)
    return {key: _fold_item(key, found) for key, found in values.items()}


def _fold_item(key: str, values: list[float]) -> float:
    if key in _WORST:
        return max(values)
    if key in _BEST:
        return min(values)
    return fsum(values) / len(values)
