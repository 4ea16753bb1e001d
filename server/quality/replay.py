"""Replay a diary: what would the watch have said on each day, knowing only what was known then?"""

from dataclasses import dataclass, replace
from datetime import date

from server.clinical.baseline import Baseline, Treatment
from server.clinical.columns import logged
from server.clinical.era import fit
from server.clinical.policy import Policy
from server.clinical.readings import History
from server.clinical.relapse import watch
from server.clinical.series import COMPOSITE_ITEMS
from server.clinical.tally import Ground, ground, tallies
from server.clinical.vocabulary import Arm


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
    """Judge every day of ``diary`` in turn; tell each alarm's sentence and the baseline of the first."""
    found = alarms_of(diary, arm, policy)
    known = diary.history, arm, diary.treatments, policy
    told = (replace(alarm, text=watch(*known, alarm.day).text) for alarm in found.alarms)
    until = found.alarms[0].day if found.alarms else diary.last
    return replace(found, alarms=tuple(told), baseline=fit(*known, until))


def alarms_of(diary: Diary, arm: Arm, policy: Policy) -> Replay:
    """Judge as `replay` does, without sentences and baseline: for those who only count."""
    said = logged(diary.history, (t.day for t in diary.treatments), policy)
    return alarms_on(ground(said, arm, policy, diary.last), arm, policy, diary.first)


def alarms_on(under: Ground, arm: Arm, policy: Policy, first: date) -> Replay:
    """Do the same on ground that is there already, from ``first`` on.

    After an alarm ``alert.lockout_days`` days are quiet.
    """
    alarms: list[Alarm] = []
    found = tallies(under, policy, first)
    for walked, day in ((one.walked, day) for one in found for day in one.signals):
        if alarms and (day - alarms[-1].day).days <= policy["alert.lockout_days"]:
            continue
        seen = walked.last(day)
        assert seen is not None  # it is one of its watched days
        alarms.append(Alarm(day, tuple(f"{hit.rule} on {hit.series}" for hit in seen.hits), ""))
    judged, insufficient = sum(one.judged for one in found), sum(one.insufficient for one in found)
    return Replay(arm, None, tuple(alarms), judged, insufficient)
