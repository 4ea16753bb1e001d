"""Replay a diary: what would the watch have said on each day, knowing only what was known then?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from server.clinical.baseline import Baseline, Treatment, fit
from server.clinical.policy import Policy
from server.clinical.readings import History
from server.clinical.relapse import Assessment, watch
from server.clinical.series import COMPOSITE_ITEMS
from server.clinical.vocabulary import Arm, WatchState

_NOT_YET = frozenset({WatchState.NO_BASELINE, WatchState.BASELINE})


@dataclass(frozen=True, slots=True)
class Diary:
    """What is replayed: a name to print, readings, delivered sessions, first and last day (both included)."""

    name: str
    history: History
    treatments: tuple[Treatment, ...]
    first: date
    last: date

    def arms(self) -> tuple[Arm, ...]:
        """Return the arms that the diary says enough of to be watched at all."""
        keys = {key for reading in self.history.readings for key in reading.items}
        return tuple(arm for arm in Arm if keys & set(COMPOSITE_ITEMS[arm]))


@dataclass(frozen=True, slots=True)
class Alarm:
    """The first signal of an episode: when, by which rules on which series, and the sentence of evidence."""

    day: date
    rules: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What the watch said about one arm.

    ``baseline`` is the one the first alarm was measured against (the last one where there is none),
    ``judged`` the days that had a baseline, ``insufficient`` those of them with too few entries.
    """

    arm: Arm
    baseline: Baseline | None
    alarms: tuple[Alarm, ...]
    judged: int
    insufficient: int

    def alarms_between(self, first: date, last: date) -> int:
        """Return how many alarms lie in ``first`` .. ``last``, both included."""
        return sum(first <= alarm.day <= last for alarm in self.alarms)


def replay(diary: Diary, arm: Arm, policy: Policy) -> Replay:
    """Judge every day of ``diary`` in turn; after an alarm ``alert.lockout_days`` days are quiet."""
    alarms: list[Alarm] = []
    judged = insufficient = 0
    for said in _days(diary, arm, policy):
        judged += said.state not in _NOT_YET
        insufficient += said.state is WatchState.INSUFFICIENT_DATA
        quiet = alarms and (said.day - alarms[-1].day).days <= policy["alert.lockout_days"]
        if said.signal and not quiet:
            rules = tuple(f"{hit.rule} on {hit.series}" for hit in said.rules)
            alarms.append(Alarm(said.day, rules, said.text))
    until = alarms[0].day if alarms else diary.last
    baseline = fit(diary.history, arm, diary.treatments, policy, until)
    return Replay(arm, baseline, tuple(alarms), judged, insufficient)


def _days(diary: Diary, arm: Arm, policy: Policy) -> Iterator[Assessment]:
    for number in range((diary.last - diary.first).days + 1):
        yield watch(diary.history, arm, diary.treatments, policy, diary.first + timedelta(days=number))
