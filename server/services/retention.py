"""How long each kind of data is kept, and what has run out. `docs/operations.md` has the same table.

What a legal hold is about stays. The medical record itself is kept for as long as whoever runs this says.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import MINYEAR, datetime, timedelta
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Date,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased

from server.models import (
    Alert,
    Base,
    BloodPressure,
    BookingSuggestion,
    CandidateSlot,
    Consent,
    ContactPoint,
    Course,
    Delivery,
    Entry,
    ExportLink,
    Invitation,
    KeptAnswer,
    LegalHold,
    Patient,
    PolicyReplay,
    PolicyReplayPatient,
    Precaution,
    QuestionnaireResponse,
    Reminder,
    SchedulingEvent,
    SignIn,
    TreatmentSession,
)
from server.services.kept_answer import KEPT
from server.services.people import erasure_check
from server.services.people import erasure_plan as plan
from server.services.people import legal_hold as legal_holds
from server.services.work import Work

BATCH = 1000
_TODAY: Any = bindparam("today", type_=Date())
_MONTH, _YEAR = timedelta(days=30), timedelta(days=365)


_REPLAYED = (
    select(PolicyReplay.finished_at)
    .where(
        PolicyReplay.clinic_id == PolicyReplayPatient.clinic_id,
        PolicyReplay.id == PolicyReplayPatient.replay_id,
    )
    .correlate(PolicyReplayPatient)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: rows of ``model`` go ``kept`` after the moment ``since``; without one, never."""

    name: str
    model: type[Base]
    since: Any
    kept: timedelta

    @property
    def table(self) -> Table:
        """Where its rows lie."""
        return cast(Table, self.model.__table__)


KINDS = (
    #    name               rows of           since when                                         kept for
    Kind("export links",    ExportLink,       ExportLink.expires_at,                             _MONTH),
    Kind("sign-ins",        SignIn,           func.coalesce(SignIn.revoked_at, SignIn.last_used_at), _YEAR),
    Kind("invitations",     Invitation,       Invitation.expires_at,                             _YEAR),
    Kind("free times",      CandidateSlot,    CandidateSlot.expires_at,                          _MONTH),
    # Longer than any sender goes on trying (Standard Webhooks: 76 hours): until then a double is known.
    Kind("scheduling events", SchedulingEvent, SchedulingEvent.received_at,                      _MONTH),
    Kind("kept answers",    KeptAnswer,       KeptAnswer.created_at,                             KEPT),
    Kind("reminders",       Reminder,         Reminder.created_at,                               2 * _YEAR),
    Kind("messages",        Delivery,         Delivery.finished_at,                              2 * _YEAR),
    Kind("contact points",  ContactPoint,     ContactPoint.retired_at,                           _YEAR),
    Kind("replayed",        PolicyReplayPatient, _REPLAYED,                                      2 * _YEAR),
    Kind("policy replays",  PolicyReplay,     PolicyReplay.finished_at,                          2 * _YEAR),
)  # fmt: skip

ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "medical record": "AFTERGLOW_RECORD_YEARS after its last change, then the patient is erased",
        "audit log": "for ever: ids and verbs; its chain would break",
        "tombstones": "for ever: ids, so that a restore can erase again",
        "break-glass": "with the medical record",
        "consents and caregivers": "with the medical record",
        "refresh tokens": "until they run out",
        "halves of a second factor": "five minutes",
        "forgotten passwords": "7 days",
        "job runs": "30 days",
        "probes": "7 days",
    }
)
"""Kinds that do not run out here, and what becomes of them."""


@dataclass(frozen=True, slots=True)
class Due:
    """How many rows of a kind go now, and how many more have run out and stay: a hold keeps them.

    ``waiting``: records that stay until the care team has closed an urgent alert, or a visit is over.
    """

    kind: str
    rows: int
    held: int
    waiting: int = 0


def report(work: Work, record_years: int) -> list[Due]:
    """Return what has run out at the actor's clinic, as `remove` would find it; nothing is changed."""
    found = []
    for kind in KINDS:
        over = _over(work, kind, ahead=True)
        all_of_them, free = _count(work, over), _count(work, _but_held(kind, over))
        found.append(Due(kind.name, free, all_of_them - free))
    return [*found, _records_due(work, record_years)]


def _records_due(work: Work, years: int) -> Due:
    against = [erasure_check.obstacle(work, patient_id) for patient_id in records_over(work, years)]
    held = sum(one is not None and one.code == "legal-hold" for one in against)
    free = against.count(None)
    return Due("medical record", free, held, len(against) - free - held)


def remove(work: Work, kind: Kind, size: int = BATCH) -> int:
    """Delete up to ``size`` rows of ``kind`` that have run out; return how many."""
    key = tuple(kind.table.primary_key)
    some = _but_held(kind, _over(work, kind)).with_only_columns(*key).limit(size)
    gone = work.session.execute(delete(kind.table).where(tuple_(*key).in_(some)), _values(work))
    return cast("CursorResult[Any]", gone).rowcount


def records_over(work: Work, years: int) -> Sequence[UUID]:
    """Return the patients whose record has not changed for ``years`` (0: for ever is kept)."""
    if not years:
        return []
    them = aliased(Patient)
    # Patient by patient: those of a whole clinic fit into no memory, and would be gone through for each.
    query = select(them.id).where(
        them.clinic_id == work.clinic_id,
        them.leaving_at.is_(None),
        them.created_at < _years_ago(work.now, years),
        *(~change.exists() for change in _lately(work, years, them.id)),
    )
    return list(work.session.scalars(query.order_by(them.id)))


def has_come_back(work: Work, years: int, patient_id: UUID) -> bool:
    """Return whether a patient's record has changed in the last ``years`` after all.

    To be asked once nobody else can write it any more: they may have come back since it was found.
    """
    query = union_all(*_lately(work, years, patient_id))
    return work.session.scalar(query.limit(1)) is not None


def _lately(work: Work, years: int, patient_id: Any) -> Iterator[Select[Any]]:
    """Yield questions for what has changed of one patient in the last ``years``."""
    changes = (
        (Entry.patient_id, func.coalesce(Entry.deleted_at, Entry.received_at)),
        (
            QuestionnaireResponse.patient_id,
            func.coalesce(QuestionnaireResponse.deleted_at, QuestionnaireResponse.received_at),
        ),
        (TreatmentSession.patient_id, TreatmentSession.at),
        (TreatmentSession.patient_id, TreatmentSession.created_at),
        (Course.patient_id, Course.created_at),
        (Alert.patient_id, func.coalesce(Alert.resolved_at, Alert.opened_at)),
        (BookingSuggestion.patient_id, BookingSuggestion.changed_at),
        (Precaution.patient_id, func.coalesce(Precaution.ended_at, Precaution.created_at)),
        (BloodPressure.patient_id, func.coalesce(BloodPressure.withdrawn_at, BloodPressure.created_at)),
        # Who is asked back, comes in or agrees to something has reported nothing yet.
        (Invitation.patient_id, Invitation.created_at),
        (Patient.id, Patient.enrolled_at),
        (Consent.patient_id, Consent.at),
    )
    for who, at in changes:
        mine = (who.class_.clinic_id == work.clinic_id, who == patient_id)
        yield select(who).where(*mine, at >= _years_ago(work.now, years))


def _years_ago(now: datetime, years: int) -> datetime:
    """Return the moment so many years of the calendar before ``now``: ten years have leap days among them."""
    is_leap_day = (now.month, now.day) == (2, 29)
    return (now - timedelta(days=is_leap_day)).replace(year=max(now.year - years, MINYEAR))


def _over(work: Work, kind: Kind, ahead: bool = False) -> Select[Any]:
    """Ask for the rows that have run out and that nothing else of ours names any more.

    ``ahead``: nor would, once what has run out of the kinds before it is gone.
    """
    table = kind.table
    others = [
        ~exists().where(
            *(column == one.column for column, one in zip(key.columns, key.elements, strict=True)),
            *(_stays(work, other) if ahead else ()),
        )
        for other in Base.metadata.sorted_tables
        for key in other.foreign_key_constraints
        if key.referred_table is table
    ]
    return select(table).where(table.c.clinic_id == work.clinic_id, _ran_out(work, kind), *others)


def _ran_out(work: Work, kind: Kind) -> Any:
    return kind.since < work.now - kind.kept


def _stays(work: Work, table: Table) -> Iterator[ColumnElement[bool]]:
    """Yield what holds for rows that are not about to go: those of no kind all stay."""
    for kind in (kind for kind in KINDS if kind.table is table):
        held = plan.rows(table, _held)
        goes = _ran_out(work, kind) if held is None else and_(_ran_out(work, kind), ~_is_true(held))
        yield ~_is_true(goes)


def _but_held(kind: Kind, over: Select[Any]) -> Select[Any]:
    """Ask for those of what is ``over`` that no hold keeps."""
    held = plan.rows(kind.table, _held)
    return over if held is None else over.where(~_is_true(held))


def _is_true(said: ColumnElement[bool]) -> Any:
    return func.coalesce(said, false())


def _held(clinic: Any, patient: Any) -> Any:
    """Return what holds for the rows of everybody whom a hold is about."""
    held = select(LegalHold.clinic_id, LegalHold.patient_id).where(legal_holds.stands(_TODAY))
    return and_(patient.is_not(None), tuple_(clinic, patient).in_(held))


def _values(work: Work) -> dict[str, Any]:
    # Somewhere a hold's last day is not over yet when it is here.
    return {"today": work.now.date() - timedelta(days=1)}


def _count(work: Work, query: Select[Any]) -> int:
    return work.session.scalar(select(func.count()).select_from(query.subquery()), _values(work)) or 0
