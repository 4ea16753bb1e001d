"""Accounts: made by enrolment, or directly for integration clients and the demo."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Role, Scope
from server.models import STAFF, Account
from server.services import asking
from server.services.errors import AddressTaken, NotSignedIn
from server.services.people import email_address as addresses
from server.services.people.passwords import Passwords
from server.services.work import Work

NOT_STAFF = "There is no such working account of your clinic's staff or systems."
NO_COLLEAGUE = "There is no such working account of your clinic's staff."
_OF_PATIENT = (
    select(Account)
    .where(*asking.of_patient(Account), Account.role == Role.PATIENT, Account.disabled_at.is_(None))
    .order_by(Account.id)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an account starts with."""

    role: Role
    name: str
    email: str
    password: str
    patient_id: UUID | None = None


def create(work: Work, new: NewAccount, passwords: Passwords) -> Account:
    """Add an account to the actor's clinic; its e-mail must be new there."""
    check_is_free(work, new.email)
    account = Account(
        clinic_id=work.clinic_id,
        id=uuid7(),
        role=new.role,
        name=new.name,
        password_hash=passwords.hash(new.password),
        patient_id=new.patient_id,
        scopes=[Scope.VISITS.value] if new.role is Role.INTEGRATION else None,
        created_at=work.now,
    )
    addresses.keep(work, account, new.email)
    try:
        with work.session.begin_nested():
            work.session.add(account)
    except IntegrityError:  # somebody else took it between our look and our insert
        raise AddressTaken from None
    work.audit("account.create", new.patient_id, account.id)
    return account


def check_is_free(work: Work, email: str) -> None:
    """Raise AddressTaken where ``email`` is in use at the actor's clinic."""
    taken = select(Account.id).where(addresses.is_of(work.session, work.clinic_id, email))
    if work.session.scalar(taken) is not None:
        raise AddressTaken


def get(work: Work) -> Account:
    """Return the actor's own account. Raises NotSignedIn where it went a moment ago."""
    account = work.session.get(Account, (work.clinic_id, work.actor.account_id))
    if account is None:
        raise NotSignedIn
    return account


def held(work: Work, account_id: UUID) -> Account | None:
    """Return a working account of the actor's clinic as it is now, and let nobody close it meanwhile.

    What is written for one asks for this first: it would be left behind with a closed account, or without
    one. None where it was closed, or went with its patient.
    """
    query = select(Account).where(
        Account.clinic_id == work.clinic_id, Account.id == account_id, Account.disabled_at.is_(None)
    )
    return work.session.scalar(query.with_for_update(read=True).execution_options(populate_existing=True))


def hold_own(work: Work) -> None:
    """Let nobody close the actor's account before what they do is done; NotSignedIn where somebody just has.

    A word that holds others back must be that of somebody who works: who closes an account lets go of what
    it has in hand, and would not see this. It comes before any other lock.
    """
    if work.actor.account_id is not None and held(work, work.actor.account_id) is None:
        raise NotSignedIn


def names(work: Work, ids: Iterable[UUID | None]) -> Mapping[UUID | None, str]:
    """Return the names of the clinic's accounts among ``ids``; None is the system and has no name."""
    wanted = {account_id for account_id in ids if account_id is not None}
    query = select(Account.id, Account.name).where(
        Account.clinic_id == work.clinic_id, Account.id.in_(wanted)
    )
    return {row.id: row.name for row in work.session.execute(query)}


def roles(work: Work, ids: Iterable[UUID | None]) -> Mapping[UUID | None, Role]:
    """Return the roles of accounts of the actor's clinic, working or not, by id."""
    known = {one for one in ids if one is not None}
    query = select(Account.id, Account.role).where(Account.clinic_id == work.clinic_id, Account.id.in_(known))
    return {row.id: row.role for row in work.session.execute(query)} if known else {}


def recipients(work: Work, roles: set[Role]) -> list[Account]:
    """Return the clinic's working accounts with one of ``roles`` (none of patients'), in a steady order."""
    mine = (Account.clinic_id == work.clinic_id, Account.role.in_(roles), STAFF)
    query = select(Account).where(*mine, Account.disabled_at.is_(None))
    return list(work.session.scalars(query.order_by(Account.id)))


def working(work: Work, ids: Iterable[UUID]) -> dict[UUID, Account]:
    """Return the clinic's working accounts among ``ids`` by id."""
    if not (wanted := set(ids)):
        return {}
    query = select(Account).where(
        Account.clinic_id == work.clinic_id, Account.id.in_(wanted), Account.disabled_at.is_(None)
    )
    return {account.id: account for account in work.session.scalars(query)}


def colleagues(work: Work, ids: Iterable[UUID]) -> dict[UUID, Account]:
    """Return the working accounts of the clinic's staff among ``ids`` by id.

    A system is none: it can't read an alert, so it hears of none.
    """
    others = (Role.PATIENT, Role.CAREGIVER, Role.INTEGRATION)
    return {one: found for one, found in working(work, ids).items() if found.role not in others}


def of_patient(work: Work, patient_id: UUID) -> Account | None:
    """Return the working account of a patient, or None where they have not enrolled or it is closed."""
    return next(iter(work.objects(_OF_PATIENT, patient=patient_id)), None)
