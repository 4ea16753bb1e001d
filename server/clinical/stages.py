"""The stage of one arm: calm, watch, probable; confirmed or dismissed by a clinician. Pure.

`follow` reads days in order and says what moved when, on which grounds. It knows nothing of who
entered what when: the same days give the same moves. Source: docs/clinical.md, "Stages".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from server.clinical.policy import Policy
from server.clinical.scale_watch import SIGNALS, ScaleRule, ScoredDay
from server.clinical.vocabulary import Stage, Verdict, WatchState

ALARMED = frozenset({WatchState.FADING, WatchState.RELAPSED})


class Ground(StrEnum):
    """Why a stage moved, or stayed."""

    DIARY_RULE = "diary_rule"
    DIARY_SIGNAL = "diary_signal"
    SCALE_RULE = "scale_rule"
    SCALE_SIGNAL = "scale_signal"
    BOTH = "diary_and_scale"
    SESSION = "session"
    NOTHING_HELD = "nothing_held"
    LOCKOUT_OVER = "lockout_over"
    LATE_DATA = "late_data"


@dataclass(frozen=True, slots=True)
class DiaryDay:
    """What the watch said of one observed day: its state, whether a rule held, whether it is a signal."""

    state: WatchState
    holds: bool
    signal: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one arm, day by day. ``verdicts`` are those of clinicians, by the day given."""

    diary: Mapping[date, DiaryDay]
    scales: Mapping[date, Sequence[ScoredDay]]
    sessions: frozenset[date] = frozenset()
    verdicts: Mapping[date, Verdict] = field(default_factory=dict)

    def days(self) -> Sequence[date]:
        """Return every day on which anything is known, oldest first."""
        return sorted({*self.diary, *self.scales, *self.sessions, *self.verdicts})


@dataclass(frozen=True, slots=True)
class Move:
    """The watch's own move on one day, from what the day before left to what the day leaves."""

    day: date
    before: Stage
    after: Stage
    ground: Ground


@dataclass(frozen=True, slots=True)
class Alarm:
    """A day on which a scale made the relapse probable; the diary's own signals are not repeated here."""

    day: date
    ground: Ground


@dataclass(frozen=True, slots=True)
class Course:
    """What came of the days: the watch's moves, the alarms of scales, the stage after the last day."""

    moves: tuple[Move, ...]
    alarms: tuple[Alarm, ...]
    stage: Stage


@dataclass(slots=True)
class Memory:
    """What a day leaves to the next. A bounded reading starts with what is known to have gone before."""

    stage: Stage = Stage.CALM
    held_on: date | None = None
    diary_on: date | None = None
    signal_on: date | None = None
    scale_on: date | None = None
    dismissed_on: date | None = None
    treated_on: date | None = None


def follow(facts: Facts, policy: Policy, start: Memory | None = None) -> Course:
    """Return the moves over ``facts`` from the stage in ``start`` (calm where there is none)."""
    memory = start or Memory()
    moves, alarms = [], []
    for day in facts.days():
        before = memory.stage
        if day in facts.sessions:
            _treat(memory, day)
        ground = _step(memory, facts, day, policy)
        if memory.stage is not before:
            else_ground = Ground.SESSION if day in facts.sessions else Ground.LOCKOUT_OVER
            moves.append(Move(day, before, memory.stage, ground or else_ground))
        if ground in (Ground.SCALE_SIGNAL, Ground.BOTH) and not _locked(memory, day, policy):
            alarms.append(Alarm(day, ground))
        if day in facts.verdicts:
            _judge(memory, facts.verdicts[day], day)
    return Course(tuple(moves), tuple(alarms), memory.stage)


def _treat(memory: Memory, day: date) -> None:
    """A session answers what was found: whatever stage it ended, the next finding is a new one."""
    if memory.stage in (Stage.PROBABLE, Stage.CONFIRMED) or memory.signal_on is not None:
        memory.treated_on = day
    if memory.stage is not Stage.DISMISSED:
        memory.stage = Stage.CALM
        _forget(memory)


def _judge(memory: Memory, verdict: Verdict, day: date) -> None:
    memory.stage = Stage(verdict)
    _forget(memory)
    memory.dismissed_on = day if verdict is Verdict.DISMISSED else None


def _forget(memory: Memory) -> None:
    """What held before says nothing of what comes now."""
    memory.held_on = memory.diary_on = memory.signal_on = memory.scale_on = None


def _locked(memory: Memory, day: date, policy: Policy) -> bool:
    """Return whether a dismissal still keeps what it dismissed quiet."""
    since = memory.dismissed_on
    return since is not None and (day - since).days < policy["alert.lockout_days"]


def _step(memory: Memory, facts: Facts, day: date, policy: Policy) -> Ground | None:
    """Take one day into ``memory``; return what held on it, or why the stage fell, None for neither."""
    if _locked(memory, day, policy):
        return None
    if memory.stage is Stage.DISMISSED:
        memory.stage = Stage.CALM
    ground = _ground(memory, facts, day, policy)
    if memory.stage is Stage.CONFIRMED:
        return ground
    if ground is None:
        return _calm_down(memory, facts, day, policy)
    memory.held_on = day
    is_probable = ground not in (Ground.DIARY_RULE, Ground.SCALE_RULE)
    if is_probable or memory.stage is Stage.CALM:
        memory.stage = Stage.PROBABLE if is_probable else Stage.WATCH
    return ground


def _ground(memory: Memory, facts: Facts, day: date, policy: Policy) -> Ground | None:
    """Return the strongest ground of ``day``; remembers when diary and scale spoke last."""
    diary, rules = facts.diary.get(day), _rules(memory, facts, day, policy)
    holds = diary is not None and diary.holds
    if holds:
        memory.diary_on = day
    if rules:
        memory.scale_on = day
    signals = diary is not None and diary.signal
    lasts = signals and _lasts(memory, day, policy)
    if signals:
        memory.signal_on = day
    if lasts or (signals and rules):
        return Ground.BOTH if rules else Ground.DIARY_SIGNAL
    if rules & SIGNALS:
        return Ground.SCALE_SIGNAL
    if (holds or rules) and _agree(memory, policy):
        return Ground.BOTH
    if holds:
        return Ground.DIARY_RULE
    return Ground.SCALE_RULE if rules else None


def _rules(memory: Memory, facts: Facts, day: date, policy: Policy) -> frozenset[ScaleRule]:
    """Return the scale rules of a day; a scale looks back to before the session that answered a relapse."""
    treated = memory.treated_on
    if treated is not None and (day - treated).days < policy["relapse.retreated_days"]:
        return frozenset()
    return frozenset(rule for scored in facts.scales.get(day, ()) for rule in scored.rules)


def _lasts(memory: Memory, day: date, policy: Policy) -> bool:
    """Return whether the diary signalled on another entry shortly before ``day``."""
    before = memory.signal_on
    return before is not None and (day - before).days < policy["stage.repeat_days"]


def _agree(memory: Memory, policy: Policy) -> bool:
    if memory.diary_on is None or memory.scale_on is None:
        return False
    return abs((memory.diary_on - memory.scale_on).days) <= policy["stage.join_days"]


def _calm_down(memory: Memory, facts: Facts, day: date, policy: Policy) -> Ground | None:
    """End a stage when nothing held for long enough; only a day on which something was said can."""
    diary = facts.diary.get(day)
    if memory.stage is Stage.CALM or (diary is None and day not in facts.scales):
        return None
    if diary is not None and diary.state in ALARMED:
        memory.held_on = day  # the diary's own signal has not ended yet
        return None
    since = memory.held_on
    if since is not None and (day - since) < timedelta(days=policy.whole("stage.calm_days")):
        return None
    memory.stage = Stage.CALM
    _forget(memory)
    return Ground.NOTHING_HELD


def unconfirmed(facts: Facts, today: date, policy: Policy) -> Sequence[ScoredDay]:
    """Return the newest score of each scale that spoke alone, now that a second one would say more."""
    newest = {
        scored.yardstick.key: scored
        for day in sorted(facts.scales)
        for scored in facts.scales[day]
        if day <= today
    }
    low, high = policy["scale.apart_min_days"], policy["scale.apart_max_days"]
    return [
        scored
        for scored in newest.values()
        if scored.rules and not SIGNALS & set(scored.rules) and low <= (today - scored.day).days <= high
    ]
