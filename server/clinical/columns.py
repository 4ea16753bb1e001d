"""What a patient logged, item by item: the columns that eras and walks are cut from.

Days are ordinals here. An item's column is taken from the readings once, however many windows look at it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from itertools import compress

from server.clinical.line import Line
from server.clinical.policy import Policy
from server.clinical.readings import History
from server.clinical.series import blended, symptoms

Column = Sequence[float | None]
_Of = Callable[[str], Column]


class Columns:
    """Days (rising) and, for each item, what was said on them; None where a day does not say."""

    __slots__ = ("_columns", "_of", "_symptoms", "_worse", "days")

    def __init__(self, days: Sequence[int], of: _Of, worse: _Of | None = None) -> None:
        self.days, self._of, self._worse = days, of, worse
        self._columns: dict[str, Column] = {}
        self._symptoms: dict[str, Column] = {}

    def column(self, key: str) -> Column:
        """Return what was said of item ``key``, in its own direction."""
        if key not in self._columns:
            self._columns[key] = self._of(key)
        return self._columns[key]

    def symptoms(self, key: str) -> Column:
        """Return the same as "higher is worse"."""
        if key not in self._symptoms:
            self._symptoms[key] = self._worse(key) if self._worse else symptoms(key, self.column(key))
        return self._symptoms[key]

    def between(self, first: date, last: date) -> "Columns":
        """Return the days ``first`` .. ``last``, both included."""
        start, stop = bisect_left(self.days, first.toordinal()), bisect_right(self.days, last.toordinal())
        if stop - start == len(self.days):
            return self
        return self._cut(self.days[start:stop], lambda column: column[start:stop])

    def where(self, kept: Sequence[bool]) -> "Columns":
        """Return the days that are ``kept``, one of which each day has."""
        if all(kept):
            return self
        return self._cut([*compress(self.days, kept)], lambda column: [*compress(column, kept)])

    def _cut(self, days: Sequence[int], cut: Callable[[Column], Column]) -> "Columns":
        # Cut when asked for, and higher up than here only once.
        return Columns(days, lambda key: cut(self.column(key)), lambda key: cut(self.symptoms(key)))

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
        return _line(self.days, self.symptoms(key))

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


def answered(sessions: Sequence[date], begun: date) -> Sequence[date]:
    """Return ``sessions`` (oldest first) from the last one up to the day of the first entry on."""
    return sessions[max(bisect_right(sessions, begun) - 1, 0) :]


def logged(history: History, sessions: Iterable[date], policy: Policy) -> Logged:
    """Return ``history`` as columns; ``sessions``: days of those delivered, in any order.

    A session unsettles no day before it: what is judged of a day may know of later ones.
    """
    said = [reading.items for reading in history.readings]
    ordinals = [reading.day.toordinal() for reading in history.readings]
    days = Columns(ordinals, lambda key: [items.get(key) for items in said])
    given, settle = sorted(set(sessions)), policy.whole("baseline.settle_days")
    unsettled = {session.toordinal() + after for session in given for after in range(settle)}
    return Logged(days, days.where([day not in unsettled for day in days.days]), given)
