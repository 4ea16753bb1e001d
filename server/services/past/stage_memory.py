"""Whether the stage of an arm moves on a day: remembered from day to day, so that nobody has to be asked.

Only where nothing moves is that the last word: else the stage is followed as ever (`services.watch.stage`).
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date, timedelta

from server.clinical.policy import Policy
from server.clinical.relapse import Assessment
from server.clinical.stages import DiaryDay, Facts, Memory, follow
from server.clinical.vocabulary import Arm, Stage
from server.models import Patient
from server.services.watch import stage_past
from server.services.watch import watch_move as watch_moves
from server.services.watch.material import Material
from server.services.work import Work

ONE = timedelta(days=1)


@dataclass(slots=True)
class Followed:
    """What the days before ``day`` left, what ``day`` says so far, and the stages stored before and after it.

    ``lost``: what is stored of the day is not known here, so it is read anew for the next one.
    """

    memory: Memory
    before: Stage
    after: Stage
    day: date
    said: DiaryDay | None = None
    moved: bool = False
    lost: bool = False


@dataclass(slots=True)
class StageMemory:
    """The arms of one patient, as far as they were followed. ``sessions``: the delivered ones, in order."""

    patient: Patient
    policy: Policy
    sessions: Sequence[date]
    arms: dict[Arm, Followed] = field(default_factory=dict)

    def knows(self, arm: Arm, day: date) -> bool:
        """Return whether the arm was followed up to ``day``; it is not where the thread was lost before."""
        known = self.arms.get(arm)
        return known is not None and not (known.lost and known.day < day)

    def learn(self, work: Work, arm: Arm, span: tuple[date, date], material: Material) -> None:
        """Read what the days before ``span`` left. All of them are written; ``material`` is of ``span``."""
        made = watch_moves.grounds(work, self.patient, arm, span, material)
        first, memory = span[0], Memory(stage=made.begun)
        facts = Facts(
            diary={day: said for day, said in made.facts.diary.items() if day < first},
            scales={},
            sessions=frozenset(day for day in made.facts.sessions if day < first),
            verdicts={day: said for day, said in made.facts.verdicts.items() if day < first},
        )
        follow(facts, self.policy, memory)
        stored = made.stage_before(first)
        lost = memory.stage is not stored or any(row.day >= first for row in made.stored)
        self.arms[arm] = Followed(memory, stored, stored, first, lost=lost)

    def stays(self, arm: Arm, day: date, said: DiaryDay | None) -> bool:
        """Return whether nothing is to be written of a known arm on ``day``: its newest or a later one."""
        known = self.arms[arm]
        if known.day < day:
            self._pass(known, day)
        known.said = said
        memory = copy(known.memory)
        moves = follow(self._facts(known, day, day), self.policy, memory).moves
        known.after = memory.stage
        if moves:
            known.moved = True
        return not (known.lost or known.moved)

    def _pass(self, known: Followed, day: date) -> None:
        """Take in what is known of the days before ``day``, the sessions after their last entry included."""
        follow(self._facts(known, known.day, day - ONE), self.policy, known.memory)
        known.before, known.day, known.said, known.moved = known.after, day, None, False
        known.lost = known.memory.stage is not known.before

    def _facts(self, known: Followed, first: date, last: date) -> Facts:
        sessions = frozenset(day for day in self.sessions if first <= day <= last)
        diary = {} if known.said is None else {known.day: known.said}
        return Facts(diary=diary, scales={}, sessions=sessions)


def diary_day(judged: Assessment) -> DiaryDay:
    """Return what a judgement says to the stages."""
    return stage_past.diary_day(judged.state, judged.signal, judged.rules)
