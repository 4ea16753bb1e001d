"""What a patient logged, item by item: the columns that eras and walks are cut from.

Days are ordinals here. An item's column is taken from the readings once, however many windows look at it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import compress

from server.clinical.line import Line
from server.clinical.policy import Policy
from server.clinical.readings import History, Items
from server.clinical.series import blended, symptoms

Column = Sequence[float | None]


class Columns:
    """Days (rising) and, for each item, what was said on them; None where a day does not say."""

    __slots__ = ("_columns", "_of", "days")

    def __init__(self, days: Sequence[int], of: Callable[[str, bool], Column]) -> None:
        self.days, self._of = days, of
        self._columns: dict[tuple[str, bool], Column] = {}

    def column(self, key: str, worse: bool = False) -> Column:
        """Return what was said of item ``key``, in its own direction or as higher is ``worse``."""
        known = self._columns.get((key, worse))
        if known is None:
            known = self._columns[key, worse] = self._of(key, worse)
        return known

    def between(self, first: date, last: date) -> "Columns":
        """Return the days ``first`` .. ``last``, both included."""
        start, stop = bisect_left(self.days, first.toordinal()), bisect_right(self.days, last.toordinal())
        if stop - start == len(self.days):
            return self
        return Columns(self.days[start:stop], lambda *of: self.column(*of)[start:stop])

    def where(self, kept: Sequence[bool]) -> "Columns":
        """Return the days that are ``kept``, one of which each day has."""
        if all(kept):
            return self
        return Columns([*compress(self.days, kept)], lambda *of: [*compress(self.column(*of), kept)])

    def saying(self, keys: Sequence[str]) -> "Columns":
        """Return the days that say anything of ``keys``."""
        found = [self.column(key) for key in keys]
        if any(None not in column for column in found):
            return self
        return self.where([any(value is not None for value in row) for row in zip(*found, strict=True)])

    def enough(self, keys: Collection[str], min_share: float) -> Sequence[int]:
        """Return the days that say enough of ``keys`` to have a composite of them."""
        found = [self.column(key) for key in keys]
        if not any(None in column for column in found):
            return self.days
        need = max(min_share * len(keys), 1)
        there = [len(row) - row.count(None) for row in zip(*found, strict=True)]
        return [day for day, count in zip(self.days, there, strict=True) if count >= need]

    def item(self, key: str) -> Line:
        """Return the days that have item ``key``, as higher-is-worse values."""
        return _line(self.days, self.column(key, True))

    def blend(self, means: Mapping[str, float], min_share: float) -> Line:
        """Return the composite (`series.blend`) of every day that has one."""
        return _line(self.days, blended([self.column(key) for key in means], means, min_share))


def _line(days: Sequence[int], column: Column) -> Line:
    values = [value for value in column if value is not None]
    if len(values) == len(days):
        return Line(days, values)
    return Line([day for day, value in zip(days, column, strict=True) if value is not None], values)


@dataclass(frozen=True, slots=True)
class Logged:
    """All days; those that are not a session's nor right after one, which say little; the sessions' days."""

    days: Columns
    settled: Columns
    sessions: Sequence[date]

    def given(self, after: date, last: date) -> Set[date]:
        """Return the days of sessions after ``after`` up to ``last``."""
        return {day for day in self.sessions if after < day <= last}


def logged(history: History, sessions: Iterable[date], policy: Policy) -> Logged:
    """Return ``history`` as columns; ``sessions``: days of those delivered, in any order.

    A session unsettles no day before it: what is judged of a day may know of later ones.
    """
    said = [reading.items for reading in history.readings]
    days = Columns([reading.day.toordinal() for reading in history.readings], partial(_column, said))
    given, settle = sorted(set(sessions)), policy.whole("baseline.settle_days")
    unsettled = {session.toordinal() + after for session in given for after in range(settle)}
    return Logged(days, days.where([day not in unsettled for day in days.days]), given)


def _column(said: Sequence[Items], key: str, worse: bool) -> Column:
    column = [items.get(key) for items in said]
    return symptoms(key, column) if worse else column
