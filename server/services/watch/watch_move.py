"""The stage of a patient's arm: followed over days, its moves written once, corrected by late data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import bindparam, select

from server.clinical import stage_evidence
from server.clinical.policy import Policy
from server.clinical.readings import History
from server.clinical.stage_evidence import Support
from server.clinical.stages import Course, Facts, Ground, Memory, Move, follow
from server.clinical.vocabulary import ITEMS, Arm, MovedBy, Stage, Verdict
from server.models import Alert, Patient, WatchMove
from server.services import vault
from server.services.asking import Span
from server.services.foresight import Foresight
from server.services.scales.scored_day import ScoredDays
from server.services.watch import stage_past
from server.services.watch.stage_past import MOVES_OF_ARM, Moved
from server.services.work import Work

# Longer than any policy remembers a rule, a session or a dismissal.
LEAD = timedelta(days=61)
SHOWN = 30
_JUST_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What an arm's stage is made from; ``first`` .. ``last`` are the days that may be new.

    ``begun``: the stage before the days that are read. ``stored``: their moves, in order.
    """

    patient: Patient
    arm: Arm
    first: date
    last: date
    facts: Facts
    policy: Policy
    begun: Stage
    stored: Sequence[Moved]

    def stage_before(self, day: date) -> Stage:
        """Return the stage that the days before ``day`` left, as it is stored."""
        before = [row.after for row in self.stored if row.day < day]
        return before[-1] if before else self.begun


class Material(Protocol):
    """What was read of a patient: the diary, delivered sessions, judged scores, under which policy."""

    @property
    def history(self) -> History:
        """Return the diary of the days in reach."""

    @property
    def sessions(self) -> Sequence[date]:
        """Return the days of delivered sessions, oldest first."""

    @property
    def scales(self) -> ScoredDays:
        """Return the judged scores."""

    @property
    def policy(self) -> Policy:
        """Return what it is judged by."""


def foresee(ahead: Foresight, each: Iterable[tuple[UUID, Arm, Span]]) -> None:
    """Ask at once for what `grounds` is about to read of the arms of several patients."""
    stage_past.foresee(ahead, ((id_, arm, (first - LEAD, last)) for id_, arm, (first, last) in each))


def grounds(work: Work, patient: Patient, arm: Arm, span: Span, read: Material) -> Grounds:
    """Return what the stages of ``span`` (both days included) are made from."""
    first, last = span
    begin = first - LEAD
    reported = {
        reading.day
        for reading in read.history.readings
        if any(arm in ITEMS[key].arms for key in reading.items)
    }
    diary = stage_past.diary(work, patient.id, arm, (begin, last))
    begun, stored = stage_past.moves(work, patient.id, arm, (begin, last))
    facts = Facts(
        diary={day: said for day, said in diary.items() if day in reported},
        scales={day: found for day, found in read.scales.get(arm, {}).items() if begin <= day <= last},
        sessions=frozenset(day for day in read.sessions if begin <= day <= last),
        verdicts={row.day: Verdict(row.after) for row in stored if row.by is MovedBy.CLINICIAN},
    )
    return Grounds(patient, arm, first, last, facts, read.policy, begun, stored)


def course(made: Grounds) -> Course:
    """Return the moves and alarms of the days that may be new, from the stage stored before them."""
    memory = Memory(stage=made.begun)
    follow(_part(made.facts, date.min, made.first - timedelta(days=1)), made.policy, memory)
    memory.stage = made.stage_before(made.first)
    return follow(_part(made.facts, made.first, made.last), made.policy, memory)


def support(work: Work, made: Grounds, day: date, ground: Ground) -> Support:
    """Return what ``ground`` rests on, on ``day``."""
    first = day - timedelta(days=made.policy.whole("stage.join_days"))
    judged = stage_past.judged(work, made.patient.id, made.arm, (first, day))
    return stage_evidence.support(made.facts, judged, day, ground, made.policy)


def write(work: Work, made: Grounds, found: Course, alert_id: UUID | None) -> None:
    """Append what is new, and a correction for every stored move that the data no longer make.

    ``alert_id``: the open episode, for moves to probable.
    """
    stored = _told(made)
    moves = {move.day: move for move in found.moves}
    said = {day: Stage(verdict) for day, verdict in made.facts.verdicts.items() if day >= made.first}
    stage = made.stage_before(made.first)
    for day in sorted({*moves, *stored, *said}):
        move = moves.get(day, Move(day, stage, stage, Ground.LATE_DATA))
        step = _step(stored.get(day), move)
        if step is not None:
            _append(work, made, step, alert_id)
        stage = said.get(day, move.after)


@dataclass(frozen=True, slots=True)
class Step:
    """One row to append: ``corrects`` where it takes back what an earlier row of the day said.

    ``begun``: the stage the day begins with.
    """

    move: Move
    begun: Stage
    corrects: bool


def _step(told: tuple[Stage, Stage] | None, move: Move) -> Step | None:
    """Return what is missing for the rows of a day, which lead from and to ``told``, to say ``move``."""
    if told is None:
        return None if move.before is move.after else Step(move, move.before, corrects=False)
    begun, ended = told
    if (begun, ended) == (move.before, move.after):
        return None
    if begun is not move.before:
        return Step(move, move.before, corrects=True)
    # A day may go on: what was watched in the morning is probable once the scale is filled.
    goes_on = (ended, move.after) == (Stage.WATCH, Stage.PROBABLE)
    return Step(replace(move, before=ended), begun, corrects=not goes_on)


def stage_after(work: Work, patient_id: UUID, arm: Arm, day: date) -> Stage:
    """Return the stage that ``day`` leaves."""
    return stage_before(work, patient_id, arm, day + timedelta(days=1))


def stage_before(work: Work, patient_id: UUID, arm: Arm, day: date) -> Stage:
    """Return the stage that the days before ``day`` left."""
    after = work.value(_AFTER_THE_DAYS_BEFORE, patient=patient_id, arm=arm, day=day)
    return Stage.CALM if after is None else after


def newest(work: Work, patient_id: UUID, arm: Arm) -> Sequence[WatchMove]:
    """Return the newest moves of an arm, newest first, as many as are shown."""
    return vault.opened(work, work.objects(_NEWEST, patient=patient_id, arm=arm))


def verdict_of(work: Work, patient_id: UUID, alert: Alert) -> Verdict | None:
    """Return what a clinician last said of an alert since it opened or worsened, or None."""
    query = select(WatchMove.after).where(
        WatchMove.clinic_id == work.clinic_id,
        WatchMove.patient_id == patient_id,
        WatchMove.alert_id == alert.id,
        WatchMove.by == MovedBy.CLINICIAN,
        WatchMove.made_at >= alert.worsened_at,
    )
    found = work.session.scalar(query.order_by(WatchMove.made_at.desc()).limit(1))
    return None if found is None else Verdict(found)


_NEWEST_FIRST = (
    WatchMove.day.desc(),
    WatchMove.by,
    WatchMove.made_at.desc(),
    WatchMove.data_version.desc(),
    WatchMove.policy_version.desc(),
    WatchMove.patient_policy_version.desc(),
)


_NEWEST = select(WatchMove).where(*MOVES_OF_ARM).order_by(*_NEWEST_FIRST).limit(SHOWN)
_AFTER_THE_DAYS_BEFORE = (
    select(WatchMove.after)
    .where(*MOVES_OF_ARM, WatchMove.day < bindparam("day"))
    .order_by(*_NEWEST_FIRST)
    .limit(1)
)


def _append(work: Work, made: Grounds, step: Step, alert_id: UUID | None) -> None:
    move = step.move
    row = WatchMove(
        clinic_id=work.clinic_id,
        patient_id=made.patient.id,
        arm=made.arm,
        day=move.day,
        by=MovedBy.WATCH,
        before=move.before,
        after=move.after,
        begun=step.begun,
        data_version=made.patient.change_counter,
        policy_version=made.policy.version,
        patient_policy_version=made.policy.patient_version,
        corrects=step.corrects,
        alert_id=alert_id if move.after is Stage.PROBABLE else None,
        account_id=None,
        made_at=_moment(work, made, move.day),
    )
    resting = support(work, made, move.day, move.ground)
    text = stage_evidence.text(resting, move.after, made.policy)
    vault.put(work, row, "evidence", dict(stage_evidence.evidence(resting, made.policy)))
    vault.put(work, row, "text", f"corrected: {text}" if step.corrects else text)
    work.session.add(row)
    work.session.flush()


def _moment(work: Work, made: Grounds, day: date) -> datetime:
    """Return when the next row of a day is made: after those that it leads on from.

    They are put in order by it, and a past is written as of its own moments, over days that were judged long
    after them.
    """
    earlier: list[datetime] = [
        row.made_at for row in made.stored if (row.by, row.day) == (MovedBy.WATCH, day)
    ]
    return max([work.now, *(at + _JUST_AFTER for at in earlier)])


def _told(made: Grounds) -> Mapping[date, tuple[Stage, Stage]]:
    """Return from and to which stage the watch's rows of each day lead: the last one knows."""
    rows = (row for row in made.stored if row.by is MovedBy.WATCH and row.day >= made.first)
    return {row.day: (row.begun, row.after) for row in rows}


def _part(facts: Facts, first: date, last: date) -> Facts:
    return Facts(
        diary={day: said for day, said in facts.diary.items() if first <= day <= last},
        scales={day: said for day, said in facts.scales.items() if first <= day <= last},
        sessions=frozenset(day for day in facts.sessions if first <= day <= last),
        verdicts={day: said for day, said in facts.verdicts.items() if first <= day <= last},
    )
