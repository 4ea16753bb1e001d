"""Treatment sessions: planned, delivered or cancelled, on a course."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import SessionStatus
from server.models import Patient, TreatmentSession
from server.services import local_day as local_days
from server.services.asking import of_patient
from server.services.errors import Conflict, Invalid, NotFound, Stale
from server.services.foresight import Foresight
from server.services.people import patient as patients
from server.services.visits import course as courses
from server.services.work import Work

_Moments = Sequence[Row[datetime, date]]
_DELIVERED = (
    select(TreatmentSession.at, TreatmentSession.local_day)
    .where(*of_patient(TreatmentSession), TreatmentSession.status == SessionStatus.DELIVERED)
    .order_by(TreatmentSession.at)
)

_CANCELLED = select(TreatmentSession.at).where(
    *of_patient(TreatmentSession), TreatmentSession.status == SessionStatus.CANCELLED
)


def create(work: Work, patient_id: UUID, values: dict[str, Any]) -> TreatmentSession:
    """Record a session of one of the patient's courses. A delivered one can't lie in the future."""
    patient = _writable(work, patient_id)
    course = courses.get(work, patient_id, values["course_id"])
    if values["status"] is SessionStatus.CANCELLED:
        raise Invalid("/status", "A new session is planned or delivered.")
    _check_moment(work, values["status"], values["at"])
    session = TreatmentSession(
        clinic_id=work.clinic_id,
        patient_id=patient_id,
        id=uuid7(),
        route=values.pop("route", None) or course.route,
        local_day=local_days.of(work, values["at"], patient.zone),
        version=1,
        created_at=work.now,
        **values,
    )
    work.session.add(session)
    _changed(work, patient, session, "treatment-session.create")
    return session


def change(
    work: Work, patient_id: UUID, session_id: UUID, changes: dict[str, Any], version: int
) -> TreatmentSession:
    """Deliver, cancel or move a session. A delivered one stays delivered or is cancelled as an error."""
    patient = _writable(work, patient_id)
    session = get(work, patient_id, session_id, lock=True)
    if session.version != version:
        raise Stale(session)
    if session.status is SessionStatus.CANCELLED:
        raise Conflict("illegal-move", "A cancelled session can't be changed.")
    status, at = changes.get("status", session.status), changes.get("at", session.at)
    if session.status is SessionStatus.DELIVERED and status is SessionStatus.PLANNED:
        raise Conflict("illegal-move", "A delivered session can't be planned again.")
    _check_moment(work, status, at)
    if session.status is not SessionStatus.DELIVERED or at != session.at:
        session.local_day = local_days.of(work, at, patient.zone)  # once delivered it stays on its day
    session.status, session.at = status, at
    session.version += 1
    _changed(work, patient, session, "treatment-session.update")
    return session


def get(work: Work, patient_id: UUID, session_id: UUID, lock: bool = False) -> TreatmentSession:
    """Return one session of the patient, or raise NotFound. ``lock``: of two changes one waits."""
    key = (work.clinic_id, patient_id, session_id)
    session = work.session.get(TreatmentSession, key, with_for_update={"key_share": True} if lock else None)
    if session is None:
        raise NotFound("treatment session")
    return session


def page(work: Work, patient_id: UUID, after: UUID | None, size: int) -> Sequence[TreatmentSession]:
    """Return sessions in the order they were recorded."""
    patients.get(work, patient_id)
    query = select(TreatmentSession).where(
        TreatmentSession.clinic_id == work.clinic_id, TreatmentSession.patient_id == patient_id
    )
    if after is not None:
        query = query.where(TreatmentSession.id > after)
    return list(work.session.scalars(query.order_by(TreatmentSession.id).limit(size)))


def foresee(ahead: Foresight, patient_ids: Iterable[UUID]) -> None:
    """Ask at once for the delivered sessions of several patients, which are about to be asked for."""
    ahead.ask(_DELIVERED, [{"patient": patient_id} for patient_id in patient_ids])


def delivered_days(work: Work, patient_id: UUID, since: date) -> Sequence[date]:
    """Return the local days of delivered sessions from ``since`` on, oldest first."""
    return sorted(day for _, day in _delivered(work, patient_id) if day >= since)


def is_on_record(work: Work, patient_id: UUID, at: datetime, zone: str) -> bool:
    """Return whether a past session is known: one of its day is delivered, or it was cancelled."""
    day = local_days.of(work, at, zone)
    if day in delivered_days(work, patient_id, day):
        return True
    return at in _cancelled(work, patient_id)


def planned_days(work: Work, patient_id: UUID, since: date) -> Sequence[date]:
    """Return the local days of planned sessions from ``since`` on, oldest first."""
    query = select(TreatmentSession.local_day).where(
        TreatmentSession.clinic_id == work.clinic_id,
        TreatmentSession.patient_id == patient_id,
        TreatmentSession.status == SessionStatus.PLANNED,
        TreatmentSession.local_day >= since,
    )
    return list(work.session.scalars(query.order_by(TreatmentSession.local_day)))


def delivered_moments(work: Work, patient_id: UUID) -> Sequence[datetime]:
    """Return the moments of the delivered sessions, oldest first."""
    return [at for at, _ in _delivered(work, patient_id)]


def delivered_but(work: Work, patient_id: UUID, known: Collection[datetime]) -> Sequence[TreatmentSession]:
    """Return the delivered sessions of other moments than ``known``, oldest first."""
    moments = [at for at in delivered_moments(work, patient_id) if at not in known]
    if not moments:
        return []
    query = select(TreatmentSession).where(
        TreatmentSession.clinic_id == work.clinic_id,
        TreatmentSession.patient_id == patient_id,
        TreatmentSession.status == SessionStatus.DELIVERED,
        TreatmentSession.at.in_(moments),
    )
    return list(work.session.scalars(query.order_by(TreatmentSession.at, TreatmentSession.id)))


def _delivered(work: Work, patient_id: UUID) -> _Moments:
    """Return moment and day of the delivered sessions: judging a day asks for them many times."""
    key = (work.clinic_id, patient_id)
    known: dict[tuple[UUID, UUID], _Moments] = work.session.info.setdefault(patients.DELIVERED, {})
    if key not in known:
        known[key] = work.rows(_DELIVERED, patient=patient_id)
    return known[key]


def _cancelled(work: Work, patient_id: UUID) -> Collection[datetime]:
    """Return the moments of the cancelled sessions: a past asks for each of its own."""
    key = (work.clinic_id, patient_id)
    known: dict[tuple[UUID, UUID], Collection[datetime]] = work.session.info.setdefault(
        patients.CANCELLED, {}
    )
    if key not in known:
        known[key] = frozenset(at for (at,) in work.rows(_CANCELLED, patient=patient_id))
    return known[key]


def _writable(work: Work, patient_id: UUID) -> Patient:
    """Return the patient for writing: a session changes what every later day is judged by."""
    patients.get(work, patient_id)
    return patients.lock(work, patient_id)


def _check_moment(work: Work, status: SessionStatus, at: datetime) -> None:
    if status is SessionStatus.DELIVERED and at > work.now:
        raise Invalid("/at", "A delivered session can't lie in the future.")


def _changed(work: Work, patient: Patient, session: TreatmentSession, action: str) -> None:
    patient.change_counter += 1
    work.audit(action, patient.id, session.id)
    work.session.flush()
    work.session.info.pop(patients.DELIVERED, None)
    if session.status is SessionStatus.CANCELLED:
        work.session.info.pop(patients.CANCELLED, None)
