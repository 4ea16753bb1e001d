"""What is stored of the days of a patient's arm, for its stage: what was judged of each, and its moves."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select

from server.clinical.stage_evidence import Judged
from server.clinical.stages import DiaryDay
from server.clinical.vocabulary import Arm, MovedBy, Stage, WatchState
from server.models import Assessment, WatchMove
from server.services.asking import Span, between, of_patient
from server.services.foresight import Foresight
from server.services.work import Work

Moved = Row[date, MovedBy, Stage, Stage, datetime]  # day, by, begun, after, made_at
_OF_ARM = (*of_patient(Assessment), Assessment.arm == bindparam("arm"))
MOVES_OF_ARM = (*of_patient(WatchMove), WatchMove.arm == bindparam("arm"))
# Without their evidence and what is sealed: they are read with every entry.
_DAYS = (
    select(Assessment.day, Assessment.state, Assessment.signal, Assessment.rules)
    .where(*_OF_ARM, between(Assessment.day))
    # Late data make a day judged again: the last judgement of each day is the one that holds.
    .order_by(
        Assessment.day,
        Assessment.data_version,
        Assessment.policy_version,
        Assessment.patient_policy_version,
    )
)
_WORDS = _DAYS.with_only_columns(Assessment.day, Assessment.rules, Assessment.text, Assessment.evidence)
_EARLIER = select(func.max(WatchMove.day)).where(*MOVES_OF_ARM, WatchMove.day < bindparam("first"))
# With the moves of the last day before, which say what the first one begins with.
_MOVES = (
    select(WatchMove.day, WatchMove.by, WatchMove.begun, WatchMove.after, WatchMove.made_at)
    .where(
        *MOVES_OF_ARM,
        WatchMove.day >= func.coalesce(_EARLIER.scalar_subquery().correlate(None), bindparam("first")),
        WatchMove.day <= bindparam("last"),
    )
    # A verdict comes after what the watch found on its day ("watch" sorts after "clinician").
    .order_by(
        WatchMove.day,
        WatchMove.by.desc(),
        WatchMove.made_at,
        WatchMove.data_version,
        WatchMove.policy_version,
        WatchMove.patient_policy_version,
    )
)


def foresee(ahead: Foresight, each: Iterable[tuple[UUID, Arm, Span]]) -> None:
    """Ask at once for what `diary` and `moves` are about to be asked of several patients."""
    values = [_values(*one) for one in each]
    ahead.ask(_DAYS, values)
    ahead.ask(_MOVES, values)


def diary(work: Work, patient_id: UUID, arm: Arm, span: Span) -> Mapping[date, DiaryDay]:
    """Return what the last judgement of each day of ``span`` says."""
    rows = work.rows(_DAYS, **_values(patient_id, arm, span))
    return {row.day: diary_day(row.state, row.signal, row.rules) for row in rows}


def diary_day(state: WatchState, signal: bool, rules: Sequence[object]) -> DiaryDay:
    """Return what a judgement says to the stages."""
    return DiaryDay(state, bool(rules) and state is not WatchState.NO_RESPONSE, signal)


def moves(work: Work, patient_id: UUID, arm: Arm, span: Span) -> tuple[Stage, Sequence[Moved]]:
    """Return the stage that the days before ``span`` left, and the moves of its days, oldest first."""
    rows = work.rows(_MOVES, **_values(patient_id, arm, span))
    before = [row.after for row in rows if row.day < span[0]]
    return before[-1] if before else Stage.CALM, [row for row in rows if row.day >= span[0]]


def judged(work: Work, patient_id: UUID, arm: Arm, span: Span) -> Mapping[date, Judged]:
    """Return the last judgement of each day of ``span`` with its words and evidence."""
    rows = work.rows(_WORDS, **_values(patient_id, arm, span))
    return {row.day: Judged(row.day, row.rules, row.text, row.evidence) for row in rows}


def _values(patient_id: UUID, arm: Arm, span: Span) -> dict[str, Any]:
    return {"patient": patient_id, "arm": arm, "first": span[0], "last": span[1]}
