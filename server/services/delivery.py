"""The outbox: written with the alert, claimed under a lease, sent by the job, then recorded."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import DeliveryState, DeliverySubject, Role
from server.models import Account, Alert, Delivery, Patient
from server.services import account as accounts
from server.services.work import Work

# Who hears of an alert at each level of escalation, beside the patient's own clinician at level 0.
_LEVELS = (
    frozenset({Role.CLINICIAN}),
    frozenset({Role.CLINICIAN, Role.COORDINATOR}),
    frozenset({Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN}),
)
TOP_LEVEL = len(_LEVELS) - 1


def enqueue(work: Work, alert: Alert) -> int:
    """Write one delivery for everybody who is due to hear of ``alert`` at its level; return how many.

    The key names the version of the alert, so writing the same notice twice is one row.
    """
    work.session.flush()
    told = _recipients(work, alert)
    for account in told:
        _add(work, alert, account)
    return len(told)


def _add(work: Work, alert: Alert, account: Account) -> None:
    key = f"{alert.id}:{alert.version}:{alert.level}:{account.id}:email"
    taken = select(Delivery.id).where(Delivery.clinic_id == work.clinic_id, Delivery.key == key)
    if work.session.scalar(taken) is not None:
        return
    work.session.add(
        Delivery(
            clinic_id=work.clinic_id,
            id=uuid7(),
            key=key,
            account_id=account.id,
            channel="email",
            template=_template(account),
            subject=DeliverySubject.ALERT,
            subject_id=alert.id,
            urgency=alert.urgency,
            state=DeliveryState.QUEUED,
            due_at=work.now,
            attempt=0,
            created_at=work.now,
        )
    )
    work.session.flush()


def _template(account: Account) -> str:
    # An admin sees no patient: the message asks to see to it that somebody who does signs in.
    return "alert_unanswered" if account.role is Role.CLINIC_ADMIN else "patient_needs_review"


def _recipients(work: Work, alert: Alert) -> Sequence[Account]:
    level = min(alert.level, TOP_LEVEL)
    patient = work.session.get_one(Patient, (work.clinic_id, alert.patient_id))
    if level == 0 and patient.clinician_id is not None:
        own = work.session.get_one(Account, (work.clinic_id, patient.clinician_id))
        if own.disabled_at is None:
            return [own]
    everybody = accounts.recipients(work, set(_LEVELS[level]))
    return everybody or accounts.recipients(work, set(_LEVELS[TOP_LEVEL]))


def of_subject(work: Work, subject_id: UUID) -> Sequence[Delivery]:
    """Return every delivery about one alert, oldest first: who was told what and when."""
    query = select(Delivery).where(
        Delivery.clinic_id == work.clinic_id,
        Delivery.subject == DeliverySubject.ALERT,
        Delivery.subject_id == subject_id,
    )
    return list(work.session.scalars(query.order_by(Delivery.created_at, Delivery.id)))
