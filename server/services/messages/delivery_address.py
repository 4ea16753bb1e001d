"""A message to an address that is written down with it: of somebody without an account, or of one before.

The account it is kept under is whose doing it is about. Nobody is told another way when it is lost.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from server.clinical.vocabulary import Channel
from server.models import Account, Delivery, Invitation
from server.services import vault
from server.services.messages import delivery as deliveries
from server.services.messages.contact_point import Way
from server.services.messages.delivery import Notice
from server.services.people import email_address as addresses
from server.services.work import Work, system


def write_to(work: Work, account: Account, told: Notice, address: str, secret: str | None = None) -> None:
    """Write one delivery to ``address``, whatever becomes of the account's own; ``secret``: for its link."""
    row = deliveries.tell(work, account, told, Way(Channel.EMAIL))
    if row is None:
        return
    row.due_at, row.held = work.now, False
    vault.put(work, row, "to", address)
    vault.put(work, row, "secret", secret)
    work.session.flush()


def of(work: Work, row: Delivery, account: Account) -> str:
    """Return to which e-mail address a delivery goes; raises SealError where it does not open."""
    if row.sealed_to is None:
        return addresses.of(work, account)
    (opened,) = vault.opened(work, [row])
    return str(opened.to)


def secret_of(session: Session, now: datetime, row: Delivery) -> str | None:
    """Return the code that is written down with a delivery for its link; None where there is none."""
    if row.sealed_secret is None:
        return None
    (opened,) = vault.opened(Work(session, now, system(row.clinic_id)), [row])
    code: str | None = opened.secret
    return code


def is_open(session: Session, row: Delivery) -> bool:
    """Return whether the code that a delivery carries still opens something; True where it carries none."""
    if row.sealed_secret is None:
        return True
    invitation = session.get(Invitation, (row.clinic_id, row.subject_id))
    return invitation is not None and invitation.used_at is None and invitation.cancelled_at is None
