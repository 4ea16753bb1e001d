"""Figures of a draft policy beside the one in force. Definitions: docs/policy.md, "What is measured"."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from server.clinical.policy import Policy
from server.clinical.vocabulary import Arm
from server.quality.past import Compared, Told

WEEK, MONTH = 7.0, 30.0
Pair = tuple[dict[Arm, Told], Sequence["Event"]]


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The days tried (both included) and the policy whose `replay.` thresholds measure both sides."""

    first: date
    last: date
    policy: Policy

    @property
    def follow(self) -> timedelta:
        """How long an alarm is followed up."""
        return timedelta(days=self.policy.whole("replay.follow_days"))


@dataclass(frozen=True, slots=True)
class Event:
    """Something recorded that an alarm should come before. ``arm`` None: a re-treatment, for any arm."""

    arm: Arm | None
    day: date


@dataclass(frozen=True, slots=True)
class Load:
    """Figures of one policy. Shares are 0-1; None where there is nothing to divide by or to take from.

    ``undecided`` alarms came too late in the period to be followed up. ``missed_*`` of the recorded
    events no alarm came within the follow-up before; ``lead_*`` are median days.
    """

    alarms: int
    alarms_per_week: float
    alarms_per_patient_month: float | None
    false_alarms: int
    undecided: int
    missed_relapses: int
    missed_retreatments: int
    lead_relapse_days: float | None
    lead_retreatment_days: float | None
    staff_minutes_per_week: float
    insufficient_share: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """``differing`` of ``patients`` would have been alarmed on other days. Events: those that count."""

    patients: int
    patient_days: int
    differing: int
    relapses: int
    retreatments: int
    current: Load
    draft: Load


def comparison(found: Iterable[Compared], yardstick: Yardstick) -> Comparison:
    """Return the figures of ``found``: every patient once."""
    patients = list(found)
    events = [list(_events(one, yardstick)) for one in patients]
    counted = [event for of_one in events for event in of_one if _counts(event, yardstick)]
    retreatments = sum(event.arm is None for event in counted)
    return Comparison(
        patients=len(patients),
        patient_days=sum(one.days for one in patients),
        differing=sum(one.differs() for one in patients),
        relapses=len(counted) - retreatments,
        retreatments=retreatments,
        current=_load(patients, events, 0, yardstick),
        draft=_load(patients, events, 1, yardstick),
    )


def _events(one: Compared, yardstick: Yardstick) -> Iterator[Event]:
    """Yield what was recorded of a patient; a session long after the one before is a re-treatment."""
    yield from (Event(arm, day) for arm, day in one.relapses)
    gap = yardstick.policy["replay.retreated_after_days"]
    for before, day in pairwise(sorted(set(one.sessions))):
        if (day - before).days >= gap:
            yield Event(None, day)


def _counts(event: Event, yardstick: Yardstick) -> bool:
    # The alarm of an earlier one may lie before the period, where nothing was tried.
    return yardstick.first + yardstick.follow <= event.day <= yardstick.last


def _load(
    patients: Sequence[Compared], events: Sequence[Sequence[Event]], side: int, yardstick: Yardstick
) -> Load:
    told = [{arm: both[side] for arm, both in one.arms.items()} for one in patients]
    alarms = sum(len(arm.alarms) for one in told for arm in one.values())
    pairs = list(zip(told, events, strict=True))
    verdicts = [verdict for pair in pairs for verdict in _verdicts(*pair, yardstick)]
    relapse_leads = _leads(pairs, True, yardstick)
    retreatment_leads = _leads(pairs, False, yardstick)
    weeks = ((yardstick.last - yardstick.first).days + 1) / WEEK
    months = sum(one.days for one in patients) / MONTH
    judged = sum(arm.judged for one in told for arm in one.values())
    thin = sum(arm.insufficient for one in told for arm in one.values())
    return Load(
        alarms=alarms,
        alarms_per_week=alarms / weeks,
        alarms_per_patient_month=alarms / months if months else None,
        false_alarms=verdicts.count(False),
        undecided=verdicts.count(None),
        missed_relapses=relapse_leads.count(None),
        missed_retreatments=retreatment_leads.count(None),
        lead_relapse_days=_median(relapse_leads),
        lead_retreatment_days=_median(retreatment_leads),
        staff_minutes_per_week=alarms / weeks * yardstick.policy["replay.alert_minutes"],
        insufficient_share=thin / judged if judged else None,
    )


def _verdicts(told: dict[Arm, Told], events: Sequence[Event], yardstick: Yardstick) -> Iterator[bool | None]:
    """Yield of every alarm whether something recorded followed it; None where that is not over yet."""
    for arm, said in told.items():
        mine = [event for event in events if event.arm in (arm, None)]
        for alarm in said.alarms:
            met = any(_followed(alarm, event, yardstick.follow) for event in mine)
            is_open = alarm + yardstick.follow > yardstick.last
            yield True if met else None if is_open else False


def _followed(alarm: date, event: Event, follow: timedelta) -> bool:
    # A relapse somebody confirmed goes on for a while: an alarm in it is no false one.
    known = event.arm is not None and event.day <= alarm <= event.day + follow
    return known or alarm <= event.day <= alarm + follow


def _leads(pairs: Iterable[Pair], of_relapses: bool, yardstick: Yardstick) -> list[int | None]:
    """Return the lead of every event that counts, of relapses or of re-treatments."""
    return [
        _lead(told, event, yardstick)
        for told, events in pairs
        for event in events
        if _counts(event, yardstick) and (event.arm is not None) is of_relapses
    ]


def _lead(told: dict[Arm, Told], event: Event, yardstick: Yardstick) -> int | None:
    """Return the days from the first alarm that could announce ``event``; None where there was none."""
    days = [
        (event.day - alarm).days
        for arm, said in told.items()
        if event.arm in (arm, None)
        for alarm in said.alarms
        if event.day - yardstick.follow <= alarm <= event.day
    ]
    return max(days, default=None)


def _median(leads: Sequence[int | None]) -> float | None:
    known = [lead for lead in leads if lead is not None]
    return float(median(known)) if known else None
