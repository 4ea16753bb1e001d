"""What the care team reads once a week: what no other message told, what is open, what came of it.

Ids and names, no findings: those are in the alerts, which are audited one by one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from server.clinical import week as weeks
from server.clinical.vocabulary import AlertClass, AlertFamily, AlertState, Outcome
from server.clinical.week import Week
from server.models import UNRESOLVED, Alert, Patient
from server.services.alerts import reach as reaches
from server.services.alerts.alert import readable
from server.services.alerts.alert_budget import opened_between
from server.services.errors import NotFound
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.watch import sign_of_life as signs_of_life
from server.services.work import Work

LONGEST = 200  # lines of one list; its count says how many there are
_AT_ONCE = 500
# Columns of an alert's line, in its order. None is sealed.
_SHOWN: tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...] = (
    *(Alert.id, Alert.patient_id, Patient.name, Alert.family, Alert.urgency, Alert.state, Alert.day),
    *(Alert.opened_at, Alert.snoozed, Alert.assigned_to, Alert.acknowledged_by, Alert.exhausted_at),
)


class _Line(Protocol):
    @property
    def mine(self) -> bool: ...


L = TypeVar("L", bound=_Line)


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert, without what it found. ``mine``: the reader's patient, or in the reader's hands."""

    mine: bool
    id: UUID
    patient_id: UUID
    patient: str
    family: AlertFamily
    urgency: AlertClass
    state: AlertState
    day: date
    opened_at: datetime
    snoozed: bool
    assigned_to: UUID | None
    acknowledged_by: UUID | None
    exhausted_at: datetime | None


@dataclass(frozen=True, slots=True)
class SilentLine:
    """A patient whose silence raised ``alert_id``; ``last_day``: their last one with an entry, if any."""

    alert_id: UUID
    patient_id: UUID
    patient: str
    last_day: date | None
    mine: bool


@dataclass(frozen=True, slots=True)
class UnreachableLine:
    """An enrolled patient whom no message reaches."""

    patient_id: UUID
    patient: str
    since: datetime
    mine: bool


@dataclass(frozen=True, slots=True)
class Listed(Generic[L]):
    """The first lines, the reader's own before the others', and how many there are."""

    count: int
    items: Sequence[L]


@dataclass(frozen=True, slots=True)
class Digest:
    """``p3`` and ``became`` are of the alerts opened in ``week``; all else is as it is now.

    ``became``: how many ended with which outcome, or are open or acknowledged still.
    """

    week: Week
    since: datetime
    until: datetime
    p3: Listed[AlertLine]
    became: Mapping[Outcome | AlertState, int]
    waiting: Mapping[AlertClass, int]
    open: Listed[AlertLine]
    acknowledged: Listed[AlertLine]
    exhausted: Listed[AlertLine]
    silent: Listed[SilentLine]
    unreachable: Listed[UnreachableLine]


def newest(work: Work) -> Week:
    """Return the last week that is over where the clinic is."""
    return weeks.at(work.now, clinics.get(work).zone).before()


def read(work: Work, week: Week | None = None) -> Digest:
    """Return the digest of ``week`` (None: the newest) as the actor reads it. Audited.

    The running week can be read so far; raises NotFound for one that has not begun.
    """
    week = week or newest(work)
    since, until = week.span(clinics.get(work).zone)
    if since > work.now:
        raise NotFound("week")
    work.audit("digest.read", object_id=str(week))
    unresolved = _alerts(work, Alert.clinic_id == work.clinic_id, UNRESOLVED)
    minor = _alerts(work, *opened_between(work, since, until), Alert.urgency == AlertClass.P3)
    untaken = [line for line in unresolved if line.state is AlertState.OPEN]
    waiting = Counter(line.urgency for line in untaken)
    return Digest(
        week=week,
        since=since,
        until=until,
        p3=_listed(minor),
        became=_became(work, since, until),
        waiting={urgency: waiting[urgency] for urgency in AlertClass},
        open=_listed(untaken),
        acknowledged=_listed(line for line in unresolved if line.state is AlertState.ACKNOWLEDGED),
        exhausted=_listed(line for line in untaken if line.exhausted_at is not None),
        silent=_listed(_silent(work, unresolved)),
        unreachable=_listed(_unreachable(work)),
    )


def has_news(work: Work, week: Week) -> bool:
    """Say whether the digest of ``week`` would tell anything."""
    since, until = week.span(clinics.get(work).zone)
    unresolved = (Alert.clinic_id == work.clinic_id, UNRESOLVED, patients.is_here(Alert))
    for found in (unresolved, opened_between(work, since, until)):
        if work.session.scalar(select(Alert.id).where(*found).limit(1)) is not None:
            return True
    return any(_unreachable(work))


def _listed(lines: Iterable[L]) -> Listed[L]:
    ordered = sorted(lines, key=lambda line: not line.mine)  # in their order otherwise
    return Listed(len(ordered), ordered[:LONGEST])


def _alerts(work: Work, *where: ColumnElement[bool]) -> Sequence[AlertLine]:
    """Return alerts, most urgent first, the oldest of the same urgency first."""
    query = (
        select(*_SHOWN, Patient.clinician_id)
        .join(Patient, (Patient.clinic_id == Alert.clinic_id) & (Patient.id == Alert.patient_id))
        .where(readable(), *where)
        .order_by(Alert.urgency, Alert.opened_at, Alert.id)
    )
    return [
        AlertLine(_is_mine(work, row.clinician_id, row.assigned_to, row.acknowledged_by), *row[:-1])
        for row in work.session.execute(query)
    ]


def _is_mine(work: Work, *hands: UUID | None) -> bool:
    return work.actor.account_id is not None and work.actor.account_id in hands


def _became(work: Work, since: datetime, until: datetime) -> Mapping[Outcome | AlertState, int]:
    query = (
        select(Alert.state, Alert.outcome, func.count())
        .where(*opened_between(work, since, until))
        .group_by(Alert.state, Alert.outcome)
    )
    found = {outcome or state: count for state, outcome, count in work.session.execute(query)}
    ends = (*Outcome, AlertState.OPEN, AlertState.ACKNOWLEDGED)
    return {end: found.get(end, 0) for end in ends}


def _silent(work: Work, unresolved: Sequence[AlertLine]) -> Iterator[SilentLine]:
    """Yield whose silence was noticed and goes on: an alert of it stays until somebody closes it."""
    found = [line for line in unresolved if line.family is AlertFamily.SILENCE]
    last = _last_days(work, [line.patient_id for line in found])
    for line in found:
        day = last.get(line.patient_id)
        if day is None or day <= line.day:
            yield SilentLine(line.id, line.patient_id, line.patient, day, line.mine)


def _last_days(work: Work, patient_ids: Sequence[UUID]) -> Mapping[UUID, date]:
    found: dict[UUID, date] = {}
    for start in range(0, len(patient_ids), _AT_ONCE):
        some = patient_ids[start : start + _AT_ONCE]
        found |= signs_of_life.days(work, some)
    return found


def _unreachable(work: Work) -> Iterator[UnreachableLine]:
    here = (Patient.clinic_id == work.clinic_id, Patient.leaving_at.is_(None))
    query = select(Patient).where(*here, Patient.enrolled_at.is_not(None))
    enrolled = list(work.session.scalars(query.order_by(Patient.id)))
    for start in range(0, len(enrolled), _AT_ONCE):
        some = enrolled[start : start + _AT_ONCE]
        since = reaches.unreachable(work, some)
        for one in (patient for patient in some if patient.id in since):
            yield UnreachableLine(one.id, one.name, since[one.id], _is_mine(work, one.clinician_id))
