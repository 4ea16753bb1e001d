"""Tell the owner of an account that something about the way they sign in has changed."""

from uuid import UUID

from uuid_utils.compat import uuid7

from server.clinical.vocabulary import AlertClass, Channel, DeliverySubject, Role
from server.models import Account
from server.services.messages import delivery as deliveries
from server.services.messages import delivery_address
from server.services.messages.contact_point import Way
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.people.password_rules import STAFF
from server.services.work import Work

CHANGED, ENDED, TRIED = "sign_in_changed", "sign_in_ended", "sign_in_tried"
ASKED, MOVING, JOINED = "account_asked", "account_moving", "staff_joined"
RECORDED = "consent_recorded"


def changed(work: Work, account_id: UUID) -> None:
    """Say that a password or a second factor was changed."""
    _tell(work, account_id, CHANGED, str(uuid7()))


def changed_at(work: Work, account: Account, email: str) -> None:
    """Say the same at ``email``, which may be the account's no more by the time it is sent."""
    told = _notice(account.id, CHANGED, f"{uuid7()}")
    delivery_address.write_to(work, account, told, email)


def move_asked(work: Work, account: Account, email: str, invitation_id: UUID) -> None:
    """Say at ``email``, the address so far, that the account is to be opened from another."""
    told = Notice(f"{ASKED}:{invitation_id}", ASKED, DeliverySubject.ACCOUNT, invitation_id, AlertClass.P2)
    delivery_address.write_to(work, account, told, email)


def move_asked_by_admin(work: Work, invitation_id: UUID) -> None:
    """Tell clinicians and administrators that an administrator wants a patient's account to move."""
    for one in accounts.recipients(work, {Role.CLINICIAN, Role.CLINIC_ADMIN}):
        key = f"{MOVING}:{invitation_id}:{one.id}"
        deliveries.call(work, one, Notice(key, MOVING, DeliverySubject.ACCOUNT, invitation_id, AlertClass.P2))


def joined(work: Work, account: Account) -> Account:
    """Tell clinicians and administrators that ``account`` is new among the staff; return it.

    Who may not read patients, but may invite who does, is seen to have.
    """
    told = accounts.recipients(work, {Role.CLINICIAN, Role.CLINIC_ADMIN}) if account.role in STAFF else ()
    for one in told:
        if one.id != account.id:
            deliveries.call(work, one, _notice(account.id, JOINED, f"{account.id}:{one.id}"))
    return account


def consent_recorded(work: Work, patient_id: UUID, consent_id: UUID) -> None:
    """Tell a patient who has an account that the clinic wrote down a yes of theirs: they can take it back."""
    if (account := accounts.of_patient(work, patient_id)) is not None:
        deliveries.call(work, account, _notice(account.id, RECORDED, str(consent_id)))


def ended(work: Work, account_id: UUID, sign_in_id: UUID) -> None:
    """Say, once, that a sign-in was ended because somebody may hold a copy of it."""
    _tell(work, account_id, ENDED, str(sign_in_id))


def tried(work: Work, account_id: UUID) -> None:
    """Say, once a day, that somebody tries to sign in and fails again and again."""
    _tell(work, account_id, TRIED, work.now.date().isoformat())


def _tell(work: Work, account_id: UUID, template: str, key: str) -> None:
    account = work.session.get_one(Account, (work.clinic_id, account_id))
    told = _notice(account_id, template, key)
    deliveries.call(work, account, told)
    # Whoever has an account that is not theirs may have put a telephone of their own in front.
    deliveries.tell(work, account, told, Way(Channel.EMAIL))


def _notice(account_id: UUID, template: str, key: str) -> Notice:
    return Notice(f"{template}:{key}", template, DeliverySubject.ACCOUNT, account_id, AlertClass.P2)
