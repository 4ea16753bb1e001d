"""One patient's past as it was read, and what two policies would have said of it.

A `Past` is raw so that it is small on its way to another process; what is made of it stays there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from server import json_text
from server.clinical.columns import logged
from server.clinical.policy import Policy, for_patient, policy_from
from server.clinical.reach import Reach, needed
from server.clinical.readings import Items, arms_of, fold
from server.clinical.tally import GROUNDED, Ground, ground
from server.clinical.vocabulary import Arm
from server.quality.replay import Diary, Replay, alarms_of, alarms_on

# Families of thresholds that a replay shows; what others change (silence, guards, clocks) it does not.
SHOWN = ("alert", "baseline", "composite", "data", "relapse")
Values = Mapping[str, float]
Said = Sequence[tuple[date, Items]]


@dataclass(frozen=True, slots=True)
class Question:
    """Two sets of values to lay over the defaults, and the days both are tried on (both included)."""

    current: Values
    draft: Values
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Past:
    """``entries`` is JSON text: a list of [day, items]. ``sessions``: delivered ones, oldest first.

    ``relapses`` are the recorded ones, by arm; ``own`` what is otherwise for this patient.
    """

    patient_id: str
    entries: str
    sessions: tuple[date, ...] = ()
    relapses: tuple[tuple[Arm, date], ...] = ()
    own: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What one policy says of one arm: days of alarms, days with a baseline, those with too few entries."""

    alarms: tuple[date, ...]
    judged: int
    insufficient: int


@dataclass(frozen=True, slots=True)
class Compared:
    """One patient: how many days were tried, and per arm what the two policies say."""

    patient_id: str
    days: int
    sessions: tuple[date, ...]
    relapses: tuple[tuple[Arm, date], ...]
    arms: Mapping[Arm, tuple[Told, Told]]

    def differs(self) -> bool:
        """Return whether any alarm lies on another day."""
        return any(current.alarms != draft.alarms for current, draft in self.arms.values())

    def plain(self) -> dict[str, Any]:
        """Return the same as plain data, to be stored; `of_plain` takes it back."""
        return {
            "days": self.days,
            "sessions": [day.isoformat() for day in self.sessions],
            "relapses": [[arm, day.isoformat()] for arm, day in self.relapses],
            "arms": {arm: [_plain(told) for told in both] for arm, both in self.arms.items()},
        }


def of_plain(patient_id: str, raw: Mapping[str, Any]) -> Compared:
    """Return what `Compared.plain` made plain."""
    return Compared(
        patient_id,
        raw["days"],
        tuple(map(date.fromisoformat, raw["sessions"])),
        tuple((Arm(arm), date.fromisoformat(day)) for arm, day in raw["relapses"]),
        {Arm(arm): (_told(current), _told(draft)) for arm, (current, draft) in raw["arms"].items()},
    )


def compare(past: Past, question: Question) -> Compared:
    """Judge one patient's days under both policies. `PolicyError` says that ``own`` contradicts the draft."""
    said = [(date.fromisoformat(day), items) for day, items in json_text.quickly(past.entries)]
    sessions = tuple(day for day in past.sessions if day <= question.last)
    relapses = tuple(one for one in past.relapses if question.first <= one[1] <= question.last)
    current, draft = _policy(question.current, past.own, kept=True), _policy(question.draft, past.own)
    begun = min((day for day, _ in said), default=date.max)
    if begun > question.last:
        return Compared(past.patient_id, 0, sessions, relapses, {})
    first = max(question.first, begun)
    days = first, question.last
    rests_on, other = (_rests_on(past, policy, days, begun) for policy in (current, draft))
    grounds = _grounds(said, rests_on, question.last)
    under = over = _told_by(grounds, current, first)
    if not _same(current, draft):
        over = _told_by(grounds if other == rests_on else _grounds(said, other, question.last), draft, first)
    nothing = Told((), 0, 0)
    arms = {arm: (under.get(arm, nothing), over.get(arm, nothing)) for arm in {**under, **over}}
    return Compared(past.patient_id, (question.last - first).days + 1, sessions, relapses, arms)


def compare_diary(diary: Diary, relapses: tuple[tuple[Arm, date], ...], question: Question) -> Compared:
    """Do the same with a diary that is made already, over all of its days."""
    current, draft = (_policy(values, {}) for values in (question.current, question.draft))
    arms = {
        arm: (_said_by(alarms_of(diary, arm, current)), _said_by(alarms_of(diary, arm, draft)))
        for arm in diary.arms()
    }
    days = (diary.last - diary.first).days + 1
    return Compared(diary.name, days, tuple(t.day for t in diary.treatments), relapses, arms)


def not_shown(current: Policy, draft: Policy) -> tuple[str, ...]:
    """Return the keys in which the two differ and whose effect no replay shows."""
    changed = (key for key, value in current.values.items() if draft[key] != value)
    return tuple(key for key in changed if key.partition(".")[0] not in SHOWN)


class _RestsOn(NamedTuple):
    """What of a patient's past counts, and the thresholds that its ground is made with."""

    reach: Reach
    policy: Policy


def _rests_on(past: Past, policy: Policy, days: tuple[date, date], begun: date) -> _RestsOn:
    return _RestsOn(needed(past.sessions, policy, *days, begun), policy.only(*GROUNDED))


def _grounds(said: Said, on: _RestsOn, last: date) -> Mapping[Arm, Ground]:
    history = fold(on.reach.within(said))
    columns = logged(history, (t.day for t in on.reach.treatments), on.policy)
    return {arm: ground(columns, arm, on.policy, last) for arm in arms_of(history)}


def _told_by(grounds: Mapping[Arm, Ground], policy: Policy, first: date) -> Mapping[Arm, Told]:
    return {arm: _said_by(alarms_on(under, arm, policy, first)) for arm, under in grounds.items()}


def _said_by(found: Replay) -> Told:
    return Told(tuple(alarm.day for alarm in found.alarms), found.judged, found.insufficient)


def _policy(values: Values, own: Values, kept: bool = False) -> Policy:
    policy = _of_clinic(tuple(sorted(values.items())), kept)
    return for_patient(policy, 1, own, kept) if own else policy


@lru_cache(maxsize=8)
def _of_clinic(values: tuple[tuple[str, float], ...], kept: bool) -> Policy:
    return policy_from(1, dict(values), kept)


def _same(current: Policy, draft: Policy) -> bool:
    """Return whether the two can only say the same."""
    return current is draft or current.only(*SHOWN) == draft.only(*SHOWN)


def _plain(told: Told) -> dict[str, Any]:
    days = [day.isoformat() for day in told.alarms]
    return {"alarms": days, "judged": told.judged, "insufficient": told.insufficient}


def _told(raw: Mapping[str, Any]) -> Told:
    return Told(tuple(map(date.fromisoformat, raw["alarms"])), raw["judged"], raw["insufficient"])
