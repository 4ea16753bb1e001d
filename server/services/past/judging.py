"""Judge the days of a past one after another, from memory; act on what they show as for any other day."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial

from server.clinical.mania_levels import ActivationFacts
from server.clinical.reach import walked_days
from server.clinical.relapse import Assessment
from server.clinical.vocabulary import ITEMS, Arm
from server.models import Patient
from server.services.past.chapter import (
    Chapter,
    Ground,
    Items,
    Said,
    facts_of,
    judged_alone,
    open_chapter,
)
from server.services.past.ledger import Ledger
from server.services.past.open_episodes import OpenEpisodes
from server.services.past.stage_memory import StageMemory, diary_day
from server.services.visits import treatment_session as treatment_sessions
from server.services.watch import activation as activations
from server.services.watch import assessment as assessments
from server.services.watch import material as materials
from server.services.watch import stage as stages
from server.services.watch.material import Material
from server.services.work import Work

ONE = timedelta(days=1)
_Judge = Callable[[Arm, date], Assessment]


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is still to come before the next session: what it says, and the days that will be judged."""

    said: Said
    days: Collection[date]


@dataclass(slots=True)
class Judging:
    """One patient's days, judged in order. ``said``: what they say since ``ground`` was read.

    ``ahead`` tells, as of the day at hand, what is still to come.
    """

    ledger: Ledger
    patient: Patient
    ground: Ground
    stages: StageMemory
    episodes: OpenEpisodes
    ahead: Callable[[date], Ahead]
    arm_days: Mapping[Arm, list[date]]
    said: dict[date, list[Items]] = field(default_factory=dict)
    last_day: date = date.min
    chapter: Chapter | None = None

    def say(self, day: date, items: Items) -> None:
        """Take what an entry of ``day``, the newest one or a later one, says."""
        self.said.setdefault(day, []).append(items)
        _note_arms(self.arm_days, day, items)

    def treated(self, work: Work) -> None:
        """Take in a session that was recorded."""
        sessions = treatment_sessions.delivered_days(work, self.patient.id, date.min)
        self.ground, self.chapter = replace(self.ground, sessions=sessions), None
        self.stages.sessions = sessions

    def judge_entry(self, work: Work, day: date) -> None:
        """Judge ``day`` as the entry of it that came in last leaves it."""
        self._judge(work, (day, materials.latest_day(work, self.patient)))
        if not self.episodes.are_settled(day):
            self.ledger.write()
            self.episodes.weigh(work, self.patient)

    def judge_end(self, work: Work, day: date) -> None:
        """Judge ``day``, which ended without an entry."""
        self._judge(work, (day, day))

    def _judge(self, work: Work, span: tuple[date, date]) -> None:
        day, policy = span[0], self.ground.before.policy
        self.ledger.work, self.last_day = work, day
        written = self.ledger.written
        facts, judge = self._judge_of(span)
        activations.judge(self.ledger, self.patient, day, facts, policy)
        found = {arm: judge(arm, day) for arm in self._arms(span)}
        for judged in found.values():
            assessments.act(self.ledger, self.patient, judged, policy)
        if self.ledger.written != written:
            self.episodes.touched()
        if self._moves(work, span, found):
            self.ledger.write()
            stages.follow(work, self.patient, span, self._material(span))
            self.episodes.touched()

    def _judge_of(self, span: tuple[date, date]) -> tuple[ActivationFacts, _Judge]:
        """Return what to judge the first day of ``span`` from, and how: with its chapter, or by itself."""
        day = span[0]
        if self.chapter is None or day > self.chapter.last_day:
            ahead = self.ahead(day)
            said = {each: [*self.said.get(each, ()), *ahead.said.get(each, ())] for each in self._days(ahead)}
            self.chapter = open_chapter(self.ground, said, ahead.days)
        if len(self.said.get(day, ())) == self.chapter.entries.get(day, 0):
            return self.chapter.facts, self.chapter.judged
        material = self._material(span)
        return facts_of(material, self.ground.at_risk), partial(judged_alone, material)

    def _days(self, ahead: Ahead) -> Collection[date]:
        return sorted({*self.said, *ahead.said})

    def _moves(self, work: Work, span: tuple[date, date], found: Mapping[Arm, Assessment]) -> bool:
        """Return whether the stage of any arm has something to be written."""
        day = span[0]
        for arm in found:
            if not self.stages.knows(arm, day):
                self.ledger.write()
                self.stages.learn(work, arm, span, self._material(span))
        keys = {key for items in self.said.get(day, ()) for key in items}
        reported = {arm for arm in found if any(arm in ITEMS[key].arms for key in keys)}
        stays = [
            self.stages.stays(arm, day, diary_day(judged) if arm in reported else None)
            for arm, judged in found.items()
        ]
        return not all(stays)

    def _material(self, span: tuple[date, date]) -> Material:
        return self.ground.material(self.said, *span)

    def _arms(self, span: tuple[date, date]) -> tuple[Arm, ...]:
        """Return the arms that the diary in reach of ``span`` speaks of."""
        return tuple(arm for arm in Arm if self._speaks_of(arm, span))

    def _speaks_of(self, arm: Arm, span: tuple[date, date]) -> bool:
        days, policy = self.arm_days[arm], self.ground.before.policy
        if not days:
            return False
        if span[0] - timedelta(days=walked_days(policy)) <= days[-1] <= span[1]:
            return True  # as nearly always: the rest is about what was said long ago
        wanted = self.ground.reach(*span, self.said)
        return any(map(wanted.holds, reversed(days)))


def open_judging(
    ledger: Ledger, patient: Patient, span: tuple[date, date], ahead: Callable[[date], Ahead]
) -> Judging:
    """Read what judging ``span`` starts from. No day of it, and none after it up to its end, is known yet."""
    work = ledger.work
    begun = materials.first_day(work, patient.id)
    read = materials.load(work, patient, *span, begun)
    # The entry that is judged first may be written already: it is said here.
    before = replace(read, history=read.history.between(date.min, span[0] - ONE))
    sessions = treatment_sessions.delivered_days(work, patient.id, date.min)
    arm_days: dict[Arm, list[date]] = defaultdict(list)
    for reading in before.history.readings:
        _note_arms(arm_days, reading.day, reading.items)
    return Judging(
        ledger=ledger,
        patient=patient,
        ground=Ground(before, sessions, activations.is_at_risk(work, patient), begun),
        stages=StageMemory(patient, before.policy, sessions),
        episodes=OpenEpisodes(),
        ahead=ahead,
        arm_days=arm_days,
    )


def _note_arms(arm_days: Mapping[Arm, list[date]], day: date, items: Items) -> None:
    """Note ``day`` for the arms whose own items were said (`clinical.readings.arms_of`)."""
    for arm in {arm for key in items if len(arms := ITEMS[key].arms) == 1 for arm in arms}:
        arm_days[arm].append(day)
