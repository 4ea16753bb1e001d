"""Tries to get in: guessing soon takes for ever, and nobody can keep an owner out by guessing.

Whoever guesses is told by account and address together, and waits longer each time. What comes from a
device that the account knows, or an address it was signed in from, has a count of its own: however many
others fail elsewhere, it goes on. Accounts that do not exist are counted alike.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.models import Account, Clinic
from server.services import tally
from server.services.cap import (
    ENROLMENT_ADDRESS,
    RECOVERY_ADDRESS,
    SECOND_FACTOR,
    SIGN_IN_ACCOUNT,
    SIGN_IN_ADDRESS,
    SIGN_IN_DEVICE,
    SIGN_IN_PAIR,
    Cap,
)
from server.services.errors import TooMany
from server.services.people import account_notice as account_notices
from server.services.people import email_address as addresses
from server.services.work import Work, system

# So many failures from where the account is not known: its owner should hear of it.
TOLD_AFTER = 10
# For so long an address that an account was signed in from is one it knows.
_KNOWN = Cap("sign_in_known", 0, timedelta(days=90), "addresses that an account was signed in from")


@dataclass(frozen=True, slots=True)
class Try:
    """A try to sign in. ``device``: the sign-in that a device proved to come from, or None."""

    clinic: str
    email: str
    address: str
    device: str | None = None

    @property
    def account(self) -> tuple[str, str]:
        """Whom it is about, whether or not there is such an account."""
        return self.clinic, self.email.lower()


def begin(session: Session, now: datetime, made: Try) -> Try:
    """Count a try before its password is looked at, and return it as it was counted; raises TooMany.

    A device that has used up its own tries is one that nobody knows: else its owner, with a new password
    from a link, would have to wait for having forgotten the old one. Commit this before the password is
    checked, or parallel guesses would not see each other.
    """
    if made.device is None:
        _take_unknown(session, now, made)
        return made
    known = (*made.account, made.device)
    if not (pause := tally.wait(session, now, SIGN_IN_DEVICE, *known)):
        tally.take(session, now, SIGN_IN_DEVICE, *known)
        return made
    made = replace(made, device=None)
    try:
        _take_unknown(session, now, made)
    except TooMany as refusal:  # its own count may be open again long before
        raise tally.refusal(min(pause, timedelta(seconds=refusal.seconds))) from None
    return made


def _take_unknown(session: Session, now: datetime, made: Try) -> None:
    tally.take(session, now, SIGN_IN_ADDRESS, made.address)
    tally.take(session, now, SIGN_IN_PAIR, *made.account, made.address)
    if not tally.number(session, now, _KNOWN, *made.account, made.address):
        tally.take(session, now, SIGN_IN_ACCOUNT, *made.account)


def failed(session: Session, now: datetime, made: Try) -> None:
    """Put on record that a try failed, and tell the owner, once a day, where many have.

    Where there is no such account, the same work is done and the clinic's record says so alike.
    """
    clinic_id = session.scalar(select(Clinic.id).where(Clinic.slug == made.clinic))
    if clinic_id is None:
        return
    account = session.scalar(
        select(Account).where(addresses.is_of(session, clinic_id, made.email), Account.disabled_at.is_(None))
    )
    work = Work(session, now, system(clinic_id))
    known = None if account is None else account.id
    work.audit("sign-in.refused", None if account is None else account.patient_id, known)
    many = tally.number(session, now, SIGN_IN_ACCOUNT, *made.account) >= TOLD_AFTER
    if account is not None and made.device is None and many:
        account_notices.tried(work, account.id)


def password_fitted(session: Session, now: datetime, made: Try) -> None:
    """Take the try back: it was its owner's, or somebody's who need not guess any more."""
    if made.device is not None:
        tally.forget(session, SIGN_IN_DEVICE, *made.account, made.device)
        return
    # In the order in which `begin` counts: two sign-ins at once wait for each other, not in a circle.
    tally.give_back(session, SIGN_IN_ADDRESS, made.address)
    tally.forget(session, SIGN_IN_PAIR, *made.account, made.address)
    if not tally.number(session, now, _KNOWN, *made.account, made.address):
        tally.give_back(session, SIGN_IN_ACCOUNT, *made.account)


def remember(session: Session, now: datetime, whose: tuple[str, str], address: str) -> None:
    """Let ``address`` be one that the account knows, from this sign-in on. ``whose``: clinic and e-mail."""
    account = Try(*whose, address).account
    tally.forget(session, _KNOWN, *account, address)
    tally.count(session, now, _KNOWN, *account, address)


def come_back(session: Session, now: datetime, whose: tuple[str, str], address: str) -> None:
    """Let in at ``address`` whoever set a new password with a link: what failed there was the old one."""
    tally.forget(session, SIGN_IN_PAIR, *Try(*whose, address).account, address)
    remember(session, now, whose, address)


def begin_enrolment(session: Session, now: datetime, address: str) -> None:
    """Count a try to enrol; raises TooMany. `end_enrolment` takes it back where it was good."""
    tally.take(session, now, ENROLMENT_ADDRESS, address)


def end_enrolment(session: Session, address: str) -> None:
    """Take back a try to enrol that was good."""
    tally.give_back(session, ENROLMENT_ADDRESS, address)


def begin_second_factor(session: Session, now: datetime, account_id: UUID) -> None:
    """Count a try of a second factor, or of a step-up, before it is looked at; raises TooMany.

    It needs the password or a sign-in first, so whoever can make the owner wait has that already.
    """
    tally.take(session, now, SECOND_FACTOR, str(account_id))


def end_second_factor(session: Session, account_id: UUID) -> None:
    """Begin anew with an account whose second factor was right."""
    tally.forget(session, SECOND_FACTOR, str(account_id))


def ask_recovery(session: Session, now: datetime, address: str) -> None:
    """Count that a new password is asked for; raises TooMany for an address that asks for too many.

    How many are written to one account's owner is `recovery`'s to say.
    """
    tally.take(session, now, RECOVERY_ADDRESS, address)
