"""STOP by SMS: no further message goes to that number, whoever it belongs to.

The number is let go of, so that the next message finds another way. Of a patient it is a withdrawn
consent too; that a colleague can't be called that way any more, the clinic's admins must hear.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.clinical.vocabulary import AlertClass, ConsentWay, DeliverySubject, Purpose, Role
from server.models import Account, ContactPoint
from server.services import apart
from server.services.messages import contact_point as contact_points
from server.services.messages import delivery as deliveries
from server.services.messages import number_index
from server.services.messages.contact_point import STOPPED
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.people import consent_answer
from server.services.people import patient as patients
from server.services.people.consent_answer import Answer
from server.services.work import Work, system

TEMPLATE = "sms_stopped"


@dataclass(frozen=True, slots=True)
class Stopped:
    """How many people the number reached, and whether it was heeded at ``every`` clinic."""

    people: int
    every: bool


def stop(session: Session, now: datetime, number: str) -> Stopped:
    """Use ``number`` (E.164) no more, at every clinic. Again is harmless.

    Each clinic has its own keys, so each is asked by its own index; a number without one is opened. What
    fails at one clinic undoes nothing at another: it is logged, and asking again does the rest.
    """
    clinics = session.scalars(select(ContactPoint.clinic_id).where(*number_index.IN_USE).distinct()).all()
    works = [Work(session, now, system(clinic_id)) for clinic_id in clinics]
    found = [
        apart.alone(session, f"STOP failed for clinic {work.clinic_id}", partial(_stop_at, work, number))
        for work in works
    ]
    return Stopped(sum(one or 0 for one in found), None not in found)


def _stop_at(work: Work, number: str) -> int:
    query = select(ContactPoint).where(number_index.may_be(work.session, work.clinic_id, number))
    rows = work.session.scalars(query.order_by(ContactPoint.id)).all()
    found = [row for row in rows if number_index.leads(work, row, number)]
    for row in found:
        contact_points.retire(work.session, work.clinic_id, row.id, work.now, STOPPED)
        account = work.session.get_one(Account, (work.clinic_id, row.account_id))
        if account.role is Role.PATIENT and account.patient_id is not None:
            _withdraw(work, account.patient_id)
        else:
            _tell_admins(work, row)
    return len(found)


def _withdraw(work: Work, patient_id: UUID) -> None:
    """Keep the patient's no; of one who leaves nothing is written down any more."""
    if patients.stays(work, patient_id):
        said = Answer(given=False, version=0, language=None, way=ConsentWay.SMS)
        consent_answer.record(work, patient_id, Purpose.SMS, said)


def _tell_admins(work: Work, row: ContactPoint) -> None:
    for admin in accounts.recipients(work, {Role.CLINIC_ADMIN}):
        key = f"{TEMPLATE}:{row.id}:{admin.id}"
        told = Notice(key, TEMPLATE, DeliverySubject.ROTA, row.id, AlertClass.P1)
        deliveries.call(work, admin, told)
