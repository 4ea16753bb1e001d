"""A chapter of a past: days of one patient without a session in between, judged in one go.

Nothing that comes later changes what a day is judged by, so the diary of the whole chapter is laid out once
and its days are judged one after another. A day that is not complete yet is judged by itself.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from server.clinical import relapse
from server.clinical.mania_levels import ActivationFacts
from server.clinical.reach import Reach, needed
from server.clinical.readings import History, fold
from server.clinical.vocabulary import Arm
from server.services.watch.material import Material

Items = Mapping[str, float]
Said = Mapping[date, Sequence[Items]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What is the same for every chapter of a transaction but for ``sessions``, the delivered ones in order.

    ``before``: what was read of the patient at first; ``begun``: the day of the first entry of then.
    ``at_risk``: of mania.
    """

    before: Material
    sessions: Sequence[date]
    at_risk: bool
    begun: date

    def reach(self, first: date, last: date, said: Said) -> Reach:
        """Return what of the past judging ``first`` .. ``last`` needs."""
        begun = self.begun if self.begun > date.min else min(said, default=date.min)
        if len(self.sessions) < 2:
            begun = date.min  # then it makes no difference, and is not read
        return needed(self.sessions, self.before.policy, first, last, begun)

    def material(self, said: Said, first: date, last: date) -> Material:
        """Return what judging ``first`` .. ``last`` needs, with what has been ``said`` since, as if read."""
        wanted = self.reach(first, last, said)
        since = fold((day, items) for day in said if wanted.holds(day) for items in said[day])
        known = tuple(r for r in self.before.history.readings if wanted.holds(r.day))
        return Material(
            history=History((*known, *since.readings)),
            treatments=wanted.treatments,
            sessions=tuple(day for day in self.sessions if day <= last),
            scales={},
            policy=self.before.policy,
            first=first,
            last=last,
            signs=(),
            filled=(),
        )


@dataclass(slots=True)
class Chapter:
    """``material``: of all its days. ``days``: those that will be judged once they are complete.

    ``entries``: how many entries each day will have.
    """

    material: Material
    facts: ActivationFacts
    days: Collection[date]
    entries: Mapping[date, int]
    _walks: dict[Arm, Iterator[relapse.Assessment]] = field(default_factory=dict)
    _newest: dict[Arm, relapse.Assessment] = field(default_factory=dict)

    @property
    def last_day(self) -> date:
        """The last day that it speaks of."""
        return self.material.last

    def judged(self, arm: Arm, day: date) -> relapse.Assessment:
        """Return the judgement of a complete day; they are asked for in order, one perhaps again."""
        if day not in self.days:
            return judged_alone(self.material, arm, day)
        if arm not in self._walks:
            self._walks[arm] = _watched(self.material, arm, sorted(self.days))
        found = self._newest.get(arm)
        if found is None or found.day != day:
            found = next((found for found in self._walks[arm] if found.day == day), None)
        self._newest[arm] = found or judged_alone(self.material, arm, day)
        return self._newest[arm]


def open_chapter(ground: Ground, said: Said, days: Collection[date]) -> Chapter:
    """Return the chapter of ``days`` (at least one); ``said`` has all that it says."""
    material = ground.material(said, min(days), max(days))
    entries = {day: len(said[day]) for day in said}
    return Chapter(material, facts_of(material, ground.at_risk), frozenset(days), entries)


def facts_of(material: Material, at_risk: bool) -> ActivationFacts:
    """Return what activation is judged from where no scale was filled and no sign of it is in sight."""
    return ActivationFacts(history=material.history, treatments=material.treatments, at_risk=at_risk)


def judged_alone(material: Material, arm: Arm, day: date) -> relapse.Assessment:
    """Return the judgement of one day by itself."""
    return relapse.watch(material.history, arm, material.treatments, material.policy, day)


def _watched(material: Material, arm: Arm, days: Sequence[date]) -> Iterator[relapse.Assessment]:
    return relapse.watch_days(material.history, arm, material.treatments, material.policy, days)
