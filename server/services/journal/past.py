"""What a replay reads of many patients at once: no objects, one row a patient, made by the database.

The days and items of a patient come as one JSON text, which is taken apart where it is judged.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, func, literal, or_, select

from server.clinical.policy import Policy
from server.clinical.reach import needed, walked_days
from server.clinical.vocabulary import Arm, MovedBy, SessionStatus, Stage
from server.models import Alert, Entry, Patient, TreatmentSession, WatchMove
from server.services.watch import policy as policies
from server.services.work import Work

# Ranges asked for in one statement: a longer one takes the database longer to plan than to run.
_RANGES = 100


@dataclass(frozen=True)
class Tried:
    """The days that are to be judged (both included) and the policies that judge them."""

    first: date
    last: date
    policies: tuple[Policy, ...]

    @cached_property
    def usual(self) -> date:
        """The first day whose entries are needed of everybody."""
        days = max(walked_days(policy) for policy in self.policies)
        return self.first - timedelta(days=days)


class RecordedPast(NamedTuple):
    """One patient: entries as a JSON list of [day, items], sessions, recorded relapses, own thresholds."""

    patient_id: str
    entries: str
    sessions: tuple[date, ...]
    relapses: tuple[tuple[Arm, date], ...]
    own: Mapping[str, float]


def read(work: Work, after: UUID | None, size: int, tried: Tried) -> Sequence[RecordedPast]:
    """Return what the next ``size`` patients after ``after`` said and had; in id order. Not audited."""
    ids = _ids(work, after, size)
    if not ids:
        return []
    whom = (ids[0], ids[-1])
    sessions, begun = _sessions(work, whom, tried.last), _begun(work, whom)
    entries = _entries(work, and_(Entry.patient_id.between(*whom), _on(tried.usual, tried.last)))
    for more in _earlier(work, sessions, begun, tried):
        for patient_id, text in more.items():
            entries[patient_id] = ",".join(filter(None, (text, entries.get(patient_id))))
    relapses, own = _relapses(work, whom), policies.overrides(work)
    return [
        RecordedPast(
            str(patient_id),
            f"[{entries.get(patient_id, '')}]",
            tuple(sessions[patient_id]),
            tuple(relapses[patient_id]),
            own[patient_id].values if patient_id in own else {},
        )
        for patient_id in ids
    ]


def how_many(work: Work) -> int:
    """Return how many patients the clinic has, without those who are about to be erased."""
    query = select(func.count()).select_from(Patient).where(*_here(work))
    return work.session.scalar(query) or 0


def _ids(work: Work, after: UUID | None, size: int) -> Sequence[UUID]:
    query = select(Patient.id).where(*_here(work))
    if after is not None:
        query = query.where(Patient.id > after)
    return work.session.scalars(query.order_by(Patient.id).limit(size)).all()


def _here(work: Work) -> tuple[ColumnElement[bool], ...]:
    return Patient.clinic_id == work.clinic_id, Patient.leaving_at.is_(None)


def _sessions(work: Work, whom: tuple[UUID, UUID], last: date) -> defaultdict[UUID, list[date]]:
    query = select(TreatmentSession.patient_id, TreatmentSession.local_day).where(
        TreatmentSession.clinic_id == work.clinic_id,
        TreatmentSession.patient_id.between(*whom),
        TreatmentSession.status == SessionStatus.DELIVERED,
        TreatmentSession.local_day <= last,
    )
    found: defaultdict[UUID, list[date]] = defaultdict(list)
    for row in work.session.execute(query.order_by(TreatmentSession.local_day)):
        found[row.patient_id].append(row.local_day)
    return found


def _begun(work: Work, whom: tuple[UUID, UUID]) -> Mapping[UUID, date]:
    """Return the day of the first entry of everybody who has one."""
    # Asked for each by itself, an index knows it; of all together every entry would be looked at.
    first = select(func.min(Entry.local_day)).where(
        Entry.clinic_id == Patient.clinic_id,
        Entry.patient_id == Patient.id,
        Entry.deleted_at.is_(None),
        Entry.day_reliable,
    )
    query = select(Patient.id, first.scalar_subquery().label("day")).where(
        Patient.clinic_id == work.clinic_id, Patient.id.between(*whom)
    )
    return {row.id: row.day for row in work.session.execute(query) if row.day is not None}


def _entries(work: Work, which: ColumnElement[bool]) -> dict[UUID, str]:
    """Return the entries of each patient as members of a JSON list."""
    one = literal('["') + cast(Entry.local_day, Text) + literal('",') + cast(Entry.items, Text) + literal("]")
    query = (
        select(
            cast(Entry.patient_id, Text).label("patient_id"), func.aggregate_strings(one, ",").label("text")
        )
        .where(Entry.clinic_id == work.clinic_id, Entry.deleted_at.is_(None), Entry.day_reliable, which)
        .group_by(Entry.patient_id)
    )
    return {UUID(row.patient_id): row.text for row in work.session.execute(query)}


def _on(first: date, last: date) -> ColumnElement[bool]:
    return Entry.local_day.between(first, last)


def _earlier(
    work: Work, sessions: Mapping[UUID, Sequence[date]], begun: Mapping[UUID, date], tried: Tried
) -> Iterator[dict[UUID, str]]:
    """Yield older entries that a baseline or the level before the course rests on."""
    ranges = [
        and_(Entry.patient_id == patient_id, _on(first, last))
        for patient_id, days in sessions.items()
        for first, last in _before_usual(days, begun.get(patient_id, date.min), tried)
    ]
    for start in range(0, len(ranges), _RANGES):
        yield _entries(work, or_(*ranges[start : start + _RANGES]))


def _before_usual(days: Sequence[date], begun: date, tried: Tried) -> Sequence[tuple[date, date]]:
    """Return the needed ranges before what is read of everybody; they never overlap."""
    wanted = [
        one
        for policy in tried.policies
        for one in needed(days, policy, tried.first, tried.last, begun if len(days) > 1 else date.min).ranges
    ]
    apart: list[tuple[date, date]] = []
    for first, last in sorted(wanted):
        start = max(first, apart[-1][1] + timedelta(days=1)) if apart else first
        end = min(last, tried.usual - timedelta(days=1))
        if start <= end:
            apart.append((start, end))
    return apart


def _relapses(work: Work, whom: tuple[UUID, UUID]) -> defaultdict[UUID, list[tuple[Arm, date]]]:
    """Return when a clinician confirmed a relapse, by patient; what was taken back later is none."""
    move = WatchMove
    query = (
        select(move.patient_id, move.arm, move.day, move.after, move.made_at, Alert.id, Alert.worsened_at)
        .join(Alert, (Alert.clinic_id == move.clinic_id) & (Alert.id == move.alert_id))
        .where(
            move.clinic_id == work.clinic_id,
            move.patient_id.between(*whom),
            move.by == MovedBy.CLINICIAN,
        )
    )
    rows = work.session.execute(query.order_by(move.day, move.made_at)).all()
    last = {row.id: row.after for row in rows}
    found: defaultdict[UUID, list[tuple[Arm, date]]] = defaultdict(list)
    for row in rows:
        # One alert may hold several relapses: a dismissal is about what it spoke of last.
        stands = last[row.id] is Stage.CONFIRMED or row.made_at < row.worsened_at
        if row.after is Stage.CONFIRMED and stands:
            found[row.patient_id].append((row.arm, row.day))
    return found
