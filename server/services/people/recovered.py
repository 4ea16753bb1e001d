"""Back in with the code of a link: a new password, and an end to what somebody else may have left behind."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from server.models import Account
from server.services.errors import NotFound, NotSignedIn
from server.services.people import account_notice, left_behind, password_rules, recovery, sign_out
from server.services.people import clinic as clinics
from server.services.people import email_address as addresses
from server.services.people.passwords import Passwords
from server.services.work import Actor, Work


@dataclass(frozen=True, slots=True)
class NewPassword:
    """What somebody sends with the code of their link."""

    code: str
    password: str
    factor_required: bool = False


def redeem(session: Session, now: datetime, new: NewPassword, passwords: Passwords) -> tuple[str, str]:
    """Set a new password and end every sign-in of its account; return clinic's short name and e-mail.

    What somebody else may have left in the account ends, too (`left_behind`). Raises NotSignedIn, Invalid.
    Wrong, used and late codes are told alike. A code that came with a password we can't take stays good.
    """
    account = _whose(session, now, new.code)
    work = Work(session, now, Actor(account.clinic_id, account.id, account.role, account.patient_id))
    clinic = clinics.get(work)
    email = addresses.of(work, account)
    names = (clinic.slug, clinic.name, email, account.name)
    password_rules.check(new.password, password_rules.chooser(account.role, names, new.factor_required))
    account.password_hash = passwords.hash(new.password)
    recovery.end_links(work, account.id)
    left_behind.end(work, account)
    sign_out.everywhere(work, account.id)
    work.audit("password.recover", account.patient_id, account.id)
    account_notice.changed(work, account.id)
    return clinic.slug, email


def _whose(session: Session, now: datetime, code: str) -> Account:
    """Return the working account that ``code`` leads to, locked. Raises NotSignedIn."""
    key = recovery.claim(session, now, code)
    known = None if key is None else session.get(Account, key)
    if known is None or not _held(session, now, known) or known.disabled_at is not None:
        raise NotSignedIn("This link is not valid any more. Ask for a new one.")
    return known


def _held(session: Session, now: datetime, known: Account) -> bool:
    """Lock an account and what is locked before it; False where its patient is about to be erased."""
    try:
        left_behind.hold(Work(session, now, Actor(known.clinic_id, known.id, known.role)), known)
    except NotFound:
        return False
    session.refresh(known, with_for_update=True)
    return True
