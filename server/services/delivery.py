"""The outbox: written with the alert, claimed under a lease, sent by the job, then recorded."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import DeliveryState, DeliverySubject, Role
from server.models import Account, Alert, Delivery, Patient
from server.services import account as accounts
from server.services.asking import insert_once
from server.services.work import Work

# Who hears of an alert at each level of escalation, beside the patient's own clinician at level 0.
_LEVELS = (
    frozenset({Role.CLINICIAN}),
    frozenset({Role.CLINICIAN, Role.COORDINATOR}),
    frozenset({Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN}),
)
TOP_LEVEL = len(_LEVELS) - 1
_Told = Sequence[Row[UUID, Role]]
_OWN_CLINICIAN = (
    select(Account.id, Account.role)
    .join(Patient, (Patient.clinic_id == Account.clinic_id) & (Patient.clinician_id == Account.id))
    .where(
        Patient.clinic_id == bindparam("clinic"),
        Patient.id == bindparam("patient"),
        Account.disabled_at.is_(None),
    )
)


def enqueue(work: Work, alert: Alert) -> int:
    """Write one delivery for everybody who is due to hear of ``alert`` at its level; return how many.

    The key names the version of the alert, so writing the same notice twice is one row.
    """
    told = _recipients(work, alert)
    connection = work.session.connection()
    if told:
        rows = [_row(work, alert, account_id, role) for account_id, role in told]
        connection.execute(insert_once(Delivery, connection.dialect.name), rows)
    return len(told)


def _row(work: Work, alert: Alert, account_id: UUID, role: Role) -> Mapping[str, Any]:
    return {
        "clinic_id": work.clinic_id,
        "id": uuid7(),
        "key": f"{alert.id}:{alert.version}:{alert.level}:{account_id}:email",
        "account_id": account_id,
        "channel": "email",
        "template": _template(role),
        "subject": DeliverySubject.ALERT,
        "subject_id": alert.id,
        "urgency": alert.urgency,
        "state": DeliveryState.QUEUED,
        "due_at": work.now,
        "attempt": 0,
        "created_at": work.now,
    }


def _template(role: Role) -> str:
    # An admin sees no patient: the message asks to see to it that somebody who does signs in.
    return "alert_unanswered" if role is Role.CLINIC_ADMIN else "patient_needs_review"


def _recipients(work: Work, alert: Alert) -> _Told:
    level = min(alert.level, TOP_LEVEL)
    if level == 0 and (own := work.rows(_OWN_CLINICIAN, patient=alert.patient_id)):
        return own
    return accounts.working(work, _LEVELS[level]) or accounts.working(work, _LEVELS[TOP_LEVEL])


def of_subject(work: Work, subject_id: UUID) -> Sequence[Delivery]:
    """Return every delivery about one alert, oldest first: who was told what and when."""
    query = select(Delivery).where(
        Delivery.clinic_id == work.clinic_id,
        Delivery.subject == DeliverySubject.ALERT,
        Delivery.subject_id == subject_id,
    )
    return list(work.session.scalars(query.order_by(Delivery.created_at, Delivery.id)))
