"""A patient who was here before and is invited again gets the same account back, with a new password."""

from uuid import UUID

from sqlalchemy import select

from server.clinical.vocabulary import Role
from server.models import Account
from server.services.errors import Conflict
from server.services.people import account as accounts
from server.services.people import account_notice, recovery, sign_out
from server.services.people import caregiver as caregivers
from server.services.people import email_address as addresses
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.work import Work


def of_patient(work: Work, patient_id: UUID) -> Account | None:
    """Return the account a patient has had, closed ones too, or None."""
    query = select(Account).where(
        Account.clinic_id == work.clinic_id,
        Account.patient_id == patient_id,
        Account.role == Role.PATIENT,
    )
    return work.session.scalar(query.order_by(Account.id).limit(1).with_for_update())


def moves(work: Work, account: Account, email: str) -> bool:
    """Return whether ``email`` is another address than the account's own."""
    return addresses.normalised(email) != addresses.normalised(addresses.of(work, account))


def take_back(work: Work, account: Account, new: NewAccount, passwords: Passwords) -> Account:
    """Give ``account`` the name, address and password of ``new`` and end all its sign-ins; its owner is told.

    A link to a new password that went to the address so far ends, too: it would take the account back there.
    So do invitations of caregivers that nobody has used, whoever made them. The caller locked the patient.
    Raises Conflict where the account was closed, or the address is somebody else's.
    """
    assert account.patient_id is not None, "it is a patient's"
    if account.disabled_at is not None:
        raise Conflict("account-disabled", "Your account is closed. Ask your clinic.")
    if moves(work, account, new.email):
        accounts.check_is_free(work, new.email)
        account_notice.changed_at(work, account, addresses.of(work, account))
        addresses.keep(work, account, new.email)
    account.name, account.password_hash = new.name, passwords.hash(new.password)
    work.session.flush()
    recovery.end_links(work, account.id)
    caregivers.end_invited(work, account.patient_id)
    sign_out.everywhere(work, account.id)
    work.audit("account.take-back", account.patient_id, account.id)
    account_notice.changed(work, account.id)
    return account
