"""Break-glass: who administers a clinic reads one patient's record for an hour, and others are told."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server import isolation
from server.clinical.vocabulary import AlertClass, DeliverySubject, Role
from server.models import Account, BreakGlass, Patient
from server.services import vault
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.people import patient as patients
from server.services.work import Actor, Work

LASTS = timedelta(minutes=60)
# Clocks of several machines differ by less: what is opened further ahead was so by a clock that was wrong.
_AHEAD = timedelta(minutes=5)
TEMPLATE = "glass_broken"
# For so long a job that was stopped still tells operations.
_TOLD_LATE = timedelta(days=7)
_OPEN = (
    select(BreakGlass.id)
    .where(
        BreakGlass.clinic_id == bindparam("clinic"),
        BreakGlass.account_id == bindparam("account"),
        BreakGlass.patient_id == bindparam("patient"),
        BreakGlass.expires_at > bindparam("now"),
        BreakGlass.opened_at <= bindparam("opened_by"),
    )
    .limit(1)
)


def open_record(work: Work, patient_id: UUID, reason: str) -> BreakGlass:
    """Let the actor read a patient's record for an hour, and tell every administrator and their clinician.

    Where that is nobody but the actor, every clinician is told, and a job tells operations (`alone`).
    Raises NotFound for a patient of nobody or of another clinic.
    """
    patient = patients.get(work, patient_id, stays=True)
    assert work.actor.account_id is not None
    row = BreakGlass(
        clinic_id=work.clinic_id,
        id=uuid7(),
        account_id=work.actor.account_id,
        patient_id=patient.id,
        opened_at=work.now,
        expires_at=work.now + LASTS,
    )
    vault.put(work, row, "reason", reason)
    work.session.add(row)
    work.session.flush()
    work.audit("break-glass.open", patient.id, row.id)
    for account in _told(work, row, patient.clinician_id):
        told = Notice(
            f"{TEMPLATE}:{row.id}:{account.id}", TEMPLATE, DeliverySubject.ACCOUNT, row.id, AlertClass.P2
        )
        deliveries.call(work, account, told)
    return row


def page(work: Work, after: UUID | None, size: int) -> Sequence[BreakGlass]:
    """Return up to ``size`` openings of the actor's clinic after the id ``after``, opened, oldest first."""
    query = select(BreakGlass).where(BreakGlass.clinic_id == work.clinic_id)
    if after is not None:
        query = query.where(BreakGlass.id > after)
    return vault.opened(work, work.session.scalars(query.order_by(BreakGlass.id).limit(size)).all())


def is_open(connection: Connection, who: Actor, patient_id: UUID, now: datetime) -> bool:
    """Return whether ``who`` may read that patient's record now."""
    known = {"clinic": who.clinic_id, "account": who.account_id, "patient": patient_id, "now": now}
    known["opened_by"] = now + _AHEAD
    return connection.execute(_OPEN, known).first() is not None


def lately(session: Session, now: datetime) -> Sequence[BreakGlass]:
    """Return the openings of the last days, at any clinic."""
    isolation.expect_all(session)
    return session.scalars(select(BreakGlass).where(BreakGlass.opened_at > now - _TOLD_LATE)).all()


def is_alone(work: Work, opened_id: UUID) -> bool:
    """Say whether of an opening at the clinic nobody else had to be told."""
    row = work.session.get_one(BreakGlass, (work.clinic_id, opened_id))
    patient = work.session.get_one(Patient, (row.clinic_id, row.patient_id))
    return all(one.id == row.account_id for one in _concerned(work, patient.clinician_id))


def _told(work: Work, row: BreakGlass, clinician_id: UUID | None) -> Sequence[Account]:
    found = _concerned(work, clinician_id)
    if any(one.id != row.account_id for one in found):
        return found
    return [*found, *accounts.recipients(work, {Role.CLINICIAN})]


def _concerned(work: Work, clinician_id: UUID | None) -> Sequence[Account]:
    """Return the clinic's administrators, who answer for privacy, and the patient's own clinician."""
    admins = accounts.recipients(work, {Role.CLINIC_ADMIN})
    return [*admins, *accounts.colleagues(work, [clinician_id] if clinician_id else []).values()]
