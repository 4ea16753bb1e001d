"""The erasure of a patient: asked for, confirmed by name, told to the clinic's systems, done by a job."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server.clinical.lifecycle import SuggestionAction
from server.clinical.plain_text import as_read
from server.clinical.vocabulary import (
    ErasureReason,
    ErasureState,
    SuggestionState,
)
from server.models import (
    Account,
    Erasure,
    ExportLink,
    Invitation,
    Patient,
    SignIn,
)
from server.services.errors import Conflict, Invalid, NotFound, Stale
from server.services.people import caregiver as caregivers
from server.services.people import erasure_check, peers_told
from server.services.visits.suggestion_move import make_move
from server.services.work import Work

# How long an erasure that was asked for can be confirmed.
ASKED_FOR = timedelta(days=7)
# So long the clinic's system has to take up that a visit is not offered any more.
PEERS_GRACE = timedelta(hours=24)
_UNDER_WAY = (ErasureState.ASKED, ErasureState.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of somebody who was erased: ids, when, and the hash of the receipt."""

    clinic_id: UUID
    id: UUID
    patient_id: UUID
    at: datetime
    receipt_hash: str | None


def ask(work: Work, patient_id: UUID, reason: ErasureReason) -> Erasure:
    """Ask for a patient's erasure: nothing happens before it is confirmed. Raises NotFound, Conflict."""
    patient = _patient(work, patient_id)
    erasure_check.check(work, patient.id)
    known = _under_way(work, patient_id)
    if known is not None and known.state is ErasureState.CONFIRMED:
        raise Conflict("erasure-under-way", "This patient's erasure was confirmed already.")
    if known is not None:
        known.state = ErasureState.CANCELLED
        known.version += 1
        work.session.flush()
    return begin(work, patient_id, reason)


def begin(work: Work, patient_id: UUID, reason: ErasureReason) -> Erasure:
    """Write an erasure that nobody has confirmed yet."""
    erasure = Erasure(
        clinic_id=work.clinic_id,
        id=uuid7(),
        patient_id=patient_id,
        state=ErasureState.ASKED,
        reason=reason,
        asked_by=work.actor.account_id,
        asked_at=work.now,
        counts={},
        version=1,
    )
    work.session.add(erasure)
    work.session.flush()
    work.audit("erasure.ask", patient_id, erasure.id)
    return erasure


def confirm(work: Work, patient_id: UUID, version: int, name: str) -> Erasure:
    """Confirm an erasure with the patient's name: nobody finds the patient any more, it can't be undone.

    Raises NotFound, Stale, Invalid for another name, Conflict where something speaks against it.
    """
    patient = _patient(work, patient_id)
    erasure = _under_way(work, patient_id)
    if erasure is None or erasure.state is not ErasureState.ASKED:
        raise NotFound("erasure to confirm")
    if erasure.version != version:
        raise Stale(erasure)
    if erasure.asked_at + ASKED_FOR < work.now:
        raise Conflict("ask-again", "It was asked for too long ago. Ask again.")
    if as_read(name) != as_read(patient.name):
        raise Invalid("/patient_name", "That is not the name of this patient.")
    erasure_check.check(work, patient.id)
    return start(work, erasure, patient)


def start(work: Work, erasure: Erasure, patient: Patient) -> Erasure:
    """Close every way to the patient, withdraw what is offered, and leave the rows to the job."""
    told = _withdraw(work, patient.id)
    erasure.state, erasure.confirmed_at = ErasureState.CONFIRMED, work.now
    erasure.confirmed_by = work.actor.account_id
    erasure.due_at = work.now + PEERS_GRACE if told else work.now
    erasure.version += 1
    _close(work, patient)
    work.audit("erasure.confirm", patient.id, erasure.id)
    return erasure


def cancel(work: Work, patient_id: UUID) -> None:
    """Take back an erasure that was not confirmed. Raises NotFound, Conflict."""
    erasure = _under_way(work, patient_id)
    if erasure is None:
        raise NotFound("erasure")
    if erasure.state is ErasureState.CONFIRMED:
        raise Conflict("erasure-under-way", "It was confirmed and can't be taken back.")
    erasure.state = ErasureState.CANCELLED
    erasure.version += 1
    work.audit("erasure.cancel", patient_id, erasure.id)


def get(work: Work, patient_id: UUID) -> Erasure:
    """Return the latest erasure of a patient, also of one who is gone. Raises NotFound."""
    query = select(Erasure).where(Erasure.clinic_id == work.clinic_id, Erasure.patient_id == patient_id)
    found = work.session.scalar(query.order_by(Erasure.id.desc()).limit(1))
    if found is None:
        raise NotFound("erasure")
    return found


def due(work: Work) -> list[UUID]:
    """Return the clinic's confirmed erasures whose rows can go: its systems know, or had their time.

    Those of a restore wait for their time in any case: it is that of placing a hold anew.
    """
    query = select(Erasure).where(
        Erasure.clinic_id == work.clinic_id, Erasure.state == ErasureState.CONFIRMED
    )
    found = work.session.scalars(query.order_by(Erasure.id))
    return [
        one.id
        for one in found
        if one.due_at is None
        or one.due_at <= work.now
        or (one.reason is not ErasureReason.RESTORED and peers_told.of(work, one.patient_id))
    ]


def is_done(work: Work, erasure_id: UUID) -> bool:
    """Say whether an erasure's last row is gone."""
    return work.session.get_one(Erasure, (work.clinic_id, erasure_id)).state is ErasureState.DONE


def gone(session: Session) -> set[tuple[UUID, UUID]]:
    """Return by clinic and id the patients of all clinics who were erased: what is asked every minute."""
    query = select(Erasure.clinic_id, Erasure.patient_id).where(Erasure.state == ErasureState.DONE)
    return {(clinic_id, patient_id) for clinic_id, patient_id in session.execute(query)}


def done(session: Session, unlisted: bool = False) -> Sequence[Tombstone]:
    """Return the tombstones of all clinics, oldest first; ``unlisted``: those in no list yet."""
    query = select(Erasure).where(Erasure.state == ErasureState.DONE)
    query = query.where(Erasure.listed_at.is_(None)) if unlisted else query
    found = session.scalars(query.order_by(Erasure.finished_at, Erasure.id))
    return [
        Tombstone(one.clinic_id, one.id, one.patient_id, one.finished_at or one.asked_at, one.receipt_hash)
        for one in found
    ]


def note_listed(session: Session, now: datetime, ids: Sequence[UUID]) -> None:
    """Record that these stand in the list outside the database."""
    session.execute(update(Erasure).where(Erasure.id.in_(ids)).values(listed_at=now))


def run_out(
    work: Work, patient_id: UUID, has_come_back: Callable[[], bool] = lambda: False
) -> Erasure | None:
    """Start the erasure of a patient whose record has been kept for as long as it is. Raises Conflict.

    None of one who ``has_come_back``. That is asked when nobody else writes in the record any more, and
    before visits that are offered are withdrawn: else that would look like something new in it.
    """
    patient = _patient(work, patient_id)
    if has_come_back():
        return None
    erasure_check.check(work, patient.id)
    asked = _under_way(work, patient_id) or begin(work, patient_id, ErasureReason.RETENTION)
    return start(work, asked, patient)


def again(work: Work, patient_id: UUID, wait: timedelta = timedelta()) -> Erasure | None:
    """Start the erasure of somebody whom a restore has brought back; None where nobody is there.

    It was decided before: neither a hold nor an open alert speaks against it. ``wait``: so long rows stay.
    """
    patient = work.session.get(Patient, (work.clinic_id, patient_id), with_for_update=True)
    if patient is None:
        return None
    known = _under_way(work, patient_id) or begin(work, patient_id, ErasureReason.RESTORED)
    if known.state is ErasureState.ASKED:
        known.reason = ErasureReason.RESTORED
        start(work, known, patient)
    known.due_at = work.now + wait
    return known


def _patient(work: Work, patient_id: UUID) -> Patient:
    patient = work.session.get(Patient, (work.clinic_id, patient_id), with_for_update=True)
    if patient is None or patient.leaving_at is not None:
        raise NotFound("patient")
    return patient


def _under_way(work: Work, patient_id: UUID) -> Erasure | None:
    query = select(Erasure).where(Erasure.clinic_id == work.clinic_id, Erasure.patient_id == patient_id)
    return work.session.scalar(query.where(Erasure.state.in_(_UNDER_WAY)).with_for_update())


def _withdraw(work: Work, patient_id: UUID) -> bool:
    """Withdraw every visit that is offered; return whether anybody outside has to hear of it."""
    # Of a closed clinic nobody hears of it, and there is no key to write it down with.
    open_ones = [] if erasure_check.is_closed(work) else erasure_check.open_visits(work, patient_id)
    told = any(one.state is not SuggestionState.DRAFT for one in open_ones)
    for suggestion in open_ones:
        ends = suggestion.state not in erasure_check.TAKING_PLACE
        make_move(work, suggestion, SuggestionAction.DISMISS if ends else SuggestionAction.EXPIRE)
    return told


def _close(work: Work, patient: Patient) -> None:
    """End every sign-in, invitation, link and caregiver of a patient, and hide them."""
    patient.leaving_at = work.now
    caregivers.end_all(work, patient.id)
    mine = select(Account.id).where(Account.clinic_id == work.clinic_id, Account.patient_id == patient.id)
    ids = list(work.session.scalars(mine))
    for change in (
        update(Account)
        .where(Account.clinic_id == work.clinic_id, Account.id.in_(ids), Account.disabled_at.is_(None))
        .values(disabled_at=work.now),
        update(SignIn)
        .where(SignIn.clinic_id == work.clinic_id, SignIn.account_id.in_(ids), SignIn.revoked_at.is_(None))
        .values(revoked_at=work.now),
        update(Invitation)
        .where(Invitation.clinic_id == work.clinic_id, Invitation.patient_id == patient.id)
        .where(Invitation.cancelled_at.is_(None))
        .values(cancelled_at=work.now),
        update(ExportLink)
        .where(ExportLink.clinic_id == work.clinic_id, ExportLink.patient_id == patient.id)
        .where(ExportLink.revoked_at.is_(None))
        .values(revoked_at=work.now),
    ):
        work.session.execute(change)
