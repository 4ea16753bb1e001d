"""Quiet hours that have begun since a message was written: what can wait is held until they end as well."""

from datetime import datetime

from sqlalchemy.orm import Session

from server.clinical.vocabulary import EVENT_SUBJECTS, AlertClass, DeliveryState, DeliverySubject, Role
from server.models import Account, Delivery, Patient
from server.services.journal import planning
from server.services.messages import number_code as number_codes
from server.services.messages import quiet
from server.services.visits import visit_message as visit_messages
from server.services.work import Work, system

# What is urgent and could not leave in time goes as soon as it can.
_CAN_WAIT = frozenset({AlertClass.P2, AlertClass.P3})


def hold(session: Session, now: datetime, row: Delivery, account: Account) -> bool:
    """Put ``row`` off until the quiet hours of whom it is for are over; return whether they are on."""
    if row.state is DeliveryState.CLAIMED or row.urgency not in _CAN_WAIT:
        return False  # one that a worker died over is due by its lease
    released = _released_at(Work(session, now, system(row.clinic_id)), row, account)
    if released <= now:
        return False
    # What was tried before loses no time by the night, and gains none: else it would be tried for ever.
    since = now if row.attempt == row.tries_before else row.tried_since or row.created_at
    row.due_at, row.held, row.tried_since = released, True, since + (released - now)
    return True


def _released_at(work: Work, row: Delivery, account: Account) -> datetime:
    if row.subject in EVENT_SUBJECTS:
        return work.now  # it goes to a system, whoever its webhook belongs to
    if account.role is Role.PATIENT:
        return _of_patient(work, row, account)
    return work.now if _is_asked_for(row) else quiet.released_at(work, account, row.urgency)


def _is_asked_for(row: Delivery) -> bool:
    """Say whether somebody waits for it this very moment: a link or a code, which the night would outlast."""
    is_code = row.template == number_codes.TEMPLATE or row.sealed_to is not None
    return is_code or row.subject is DeliverySubject.RECOVERY


def _of_patient(work: Work, row: Delivery, account: Account) -> datetime:
    """Return when a patient may be told of a visit; what protects or serves their account never waits."""
    if row.subject is not DeliverySubject.VISIT or not visit_messages.can_wait(work, row):
        return work.now
    patient = work.session.get(Patient, (work.clinic_id, account.patient_id))
    return work.now if patient is None else planning.quiet_until(work, patient)
