"""Whoever runs this service: a clinic with one account, so that pages are deliveries like any other."""

from contextlib import suppress
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import AlertClass, Channel, DeliverySubject, Role
from server.models import Account
from server.services.errors import Conflict
from server.services.messages import contact_point as contact_points
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from server.services.people import clinic as clinics
from server.services.people import email_address as addresses
from server.services.people.clinic import OPERATIONS
from server.services.work import Work, system

NAME, ZONE, COUNTRY = "Operations", "UTC", "GB"
# No hash has this form, so nobody can sign in.
_NO_PASSWORD = "!"


def ensure(session: Session, now: datetime, email: str) -> Work:
    """Make sure that operations can be told at ``email``; return the work of their clinic."""
    if clinics.operations_id(session) is None:
        # Another worker may start in the same moment and be first.
        with suppress(IntegrityError, Conflict), session.begin_nested():
            _set_up(Work(session, now, system(clinics.new_clinic_id())), email)
    clinic_id = clinics.operations_id(session)
    assert clinic_id is not None, "set up by us or by the one who was first"
    work = Work(session, now, system(clinic_id))
    known = account(work)
    if known is not None and addresses.normalised(addresses.of(work, known)) != addresses.normalised(email):
        addresses.keep(work, known, email)
    return work


def page(session: Session, now: datetime, template: str, key: str) -> bool:
    """Tell operations over every way, once a ``key``. False where nobody is set up, or was told already."""
    clinic_id = clinics.operations_id(session)
    if clinic_id is None:
        return False
    work = Work(session, now, system(clinic_id))
    person = account(work)
    if person is None:
        return False
    told = Notice(
        key=f"page:{key}"[:150],
        template=template,
        subject=DeliverySubject.OPERATIONS,
        subject_id=person.id,
        urgency=AlertClass.P0,
    )
    ways = contact_points.ways(work, person)
    written = [deliveries.tell(work, person, told, way) for way in ways]
    return any(written)


def poison(session: Session, now: datetime, channel: Channel, why: str) -> bool:
    """Tell operations of a message that we can't send; once an hour a channel and reason, not once each."""
    return page(session, now, "poison_delivery", f"poison:{channel}:{why}:{now:%Y-%m-%dT%H}")


def account(work: Work) -> Account | None:
    """Return the account of the clinic of operations."""
    query = select(Account).where(Account.clinic_id == work.clinic_id, Account.role == Role.CLINIC_ADMIN)
    return work.session.scalar(query.order_by(Account.id).limit(1))


def _set_up(work: Work, email: str) -> None:
    clinics.set_up(work, slug=OPERATIONS, name=NAME, zone=ZONE, country=COUNTRY)
    person = _new_account(work)
    addresses.keep(work, person, email)
    work.session.add(person)
    work.session.flush()


def _new_account(work: Work) -> Account:
    return Account(
        clinic_id=work.clinic_id,
        id=uuid7(),
        role=Role.CLINIC_ADMIN,
        name=NAME,
        password_hash=_NO_PASSWORD,
        created_at=work.now,
    )
