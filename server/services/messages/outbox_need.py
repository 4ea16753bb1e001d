"""Why a delivery need not be sent any more, or not yet."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.clinical.consent import OF_CHANNEL
from server.clinical.vocabulary import (
    EVENT_SUBJECTS,
    WAITING,
    AlertState,
    Channel,
    DeliveryState,
    DeliverySubject,
    Role,
)
from server.models import Account, Alert, ContactPoint, Delivery, Patient
from server.services.journal import reminder as reminders
from server.services.messages import delivery_address, retry
from server.services.messages import number_code as number_codes
from server.services.messages.delivery import AGAIN, ASSIGNED, CALLS
from server.services.messages.delivery_loss import EXPIRED, NOT_NEEDED, RETIRED, WITHDRAWN
from server.services.people import consent as consents
from server.services.people import recovery as recoveries
from server.services.visits import visit_message as visit_messages
from server.services.work import Work, system

# An event stands behind an earlier one of its visit for so long as that is tried soon: later a receiver
# that fails on one must not be kept from hearing the others.
TRIED_SOON = timedelta(minutes=1)
_A_MOMENT = timedelta(seconds=1)
# What a patient is written about. Everything else goes to staff, to whoever runs this, or to systems.
TO_PATIENTS = frozenset({DeliverySubject.REMINDER, DeliverySubject.VISIT, DeliverySubject.EXPORT})


def why_not(session: Session, now: datetime, row: Delivery, account: Account) -> str | None:
    """Return why a delivery need not be sent any more, or None where it must."""
    if row.attempt and _is_too_old(row, now):
        return row.failure or "too_old"
    if account.disabled_at is not None:
        return "recipient_disabled"
    if row.expires_at is not None and row.expires_at <= now:
        return EXPIRED
    if row.subject in TO_PATIENTS and _is_withdrawn(session, now, row, account):
        return WITHDRAWN
    if row.subject is DeliverySubject.REMINDER:
        return None if reminders.is_wanted(session, now, row) else NOT_NEEDED
    if row.subject is DeliverySubject.VISIT:
        return None if visit_messages.is_wanted(session, now, row) else NOT_NEEDED
    if row.template == number_codes.TEMPLATE:
        return None if number_codes.is_open(session, row) else NOT_NEEDED
    if row.subject is DeliverySubject.RECOVERY:
        return None if recoveries.is_open(session, row) else NOT_NEEDED
    is_open = delivery_address.is_open(session, row)
    if not is_open or _is_about_nobody(session, row) or _is_answered(session, row):
        return NOT_NEEDED
    return RETIRED if _is_unheard(session, row) else None


def waits_until(session: Session, now: datetime, row: Delivery) -> datetime | None:
    """Return until when an event waits for an earlier one of its visit to the same webhook, or None."""
    if row.subject is not DeliverySubject.SUGGESTION or row.state is DeliveryState.CLAIMED:
        return None  # one that a worker died over is due by its lease, and has waited enough
    before = session.scalar(
        select(func.min(Delivery.due_at)).where(
            Delivery.clinic_id == row.clinic_id,
            Delivery.subject_id == row.subject_id,
            Delivery.contact_id == row.contact_id,
            Delivery.event_version < row.event_version,
            Delivery.state.in_(WAITING),
        )
    )
    if before is None or before > now + TRIED_SOON:
        return None
    return max(before, now) + _A_MOMENT


def _is_too_old(row: Delivery, now: datetime) -> bool:
    # A webhook's last try lies at the end of its time: what comes of it decides about the endpoint too.
    return row.channel is not Channel.WEBHOOK and retry.gives_up(
        row.channel, now - (row.tried_since or row.created_at)
    )


def _is_unheard(session: Session, row: Delivery) -> bool:
    """Say whether the webhook that ``row`` goes to listens to such a thing no more: nobody would read it."""
    if row.channel is not Channel.WEBHOOK or row.subject is DeliverySubject.WEBHOOK:
        return False
    hook = session.get(ContactPoint, (row.clinic_id, row.contact_id))
    if hook is None:
        return False
    return not (hook.hears_visits if row.subject in EVENT_SUBJECTS else hook.hears_alerts)


def _is_withdrawn(session: Session, now: datetime, row: Delivery, account: Account) -> bool:
    """Say whether the patient does not want to be written to this way, as of this moment."""
    purpose = OF_CHANNEL.get(row.channel)
    if account.role is not Role.PATIENT or account.patient_id is None or purpose is None:
        return False
    return not consents.allows(Work(session, now, system(row.clinic_id)), account.patient_id, purpose)


def _is_answered(session: Session, row: Delivery) -> bool:
    """Say whether somebody has closed or taken on what ``row`` only calls for, or a newer call says it."""
    if row.subject is not DeliverySubject.ALERT or row.template not in {AGAIN, ASSIGNED, *CALLS}:
        return False
    alert = session.get_one(Alert, (row.clinic_id, row.subject_id))
    if row.template == AGAIN:
        return alert.state is AlertState.RESOLVED  # whoever closed it has seen what was reported again
    if row.template == ASSIGNED:
        return alert.state is AlertState.RESOLVED or alert.assigned_to != row.account_id
    return alert.state is not AlertState.OPEN or _is_called_anew(session, row)


def _is_about_nobody(session: Session, row: Delivery) -> bool:
    """Say whether ``row`` leads to an alert that nobody finds: its patient was erased, or is about to be."""
    if row.subject is not DeliverySubject.ALERT:
        return False
    alert = session.get(Alert, (row.clinic_id, row.subject_id))
    patient = None if alert is None else session.get(Patient, (row.clinic_id, alert.patient_id))
    return patient is None or patient.leaving_at is not None


def _is_called_anew(session: Session, row: Delivery) -> bool:
    newer = select(Delivery.id).where(
        Delivery.clinic_id == row.clinic_id,
        Delivery.subject_id == row.subject_id,
        Delivery.account_id == row.account_id,
        Delivery.channel == row.channel,
        Delivery.contact_id == row.contact_id,
        Delivery.template.in_(CALLS),
        Delivery.created_at > row.created_at,
    )
    return session.scalar(newer.limit(1)) is not None
