"""Tickets: a step that waits for its second half, for five minutes and once."""

import secrets
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from server.models import Ticket
from server.services.errors import DoesNotFit, NotSignedIn
from server.services.people.secrets import fingerprint, new_secret
from server.services.work import Work

VALID_FOR = timedelta(minutes=5)
_CHALLENGE_BYTES = 32


def issue(work: Work, account_id: UUID) -> tuple[str, Ticket]:
    """Return a new ticket of ``account_id`` and its row; it belongs to the actor's sign-in, if any."""
    secret = new_secret()
    row = Ticket(
        ticket_hash=fingerprint(secret),
        clinic_id=work.clinic_id,
        account_id=account_id,
        sign_in_id=work.actor.sign_in_id,
        challenge=urlsafe_b64encode(secrets.token_bytes(_CHALLENGE_BYTES)).decode().rstrip("="),
        expires_at=work.now + VALID_FOR,
    )
    work.session.add(row)
    work.session.flush()
    return secret, row


def find(session: Session, now: datetime, secret: str, sign_in_id: UUID | None = None) -> Ticket:
    """Return the ticket of ``secret`` that still waits, of that sign-in or of none.

    Else raises DoesNotFit where somebody is signed in, and NotSignedIn where they begin anew to be.
    """
    row = session.scalar(select(Ticket).where(Ticket.ticket_hash == fingerprint(secret)))
    if row is None or row.used_at is not None or row.expires_at <= now or row.sign_in_id != sign_in_id:
        said = "This took too long, or was done already. Start again."
        raise NotSignedIn(said) if sign_in_id is None else DoesNotFit(said)
    return row


def use(session: Session, now: datetime, ticket: Ticket) -> bool:
    """Use a ticket up. False where somebody else was first."""
    won = session.execute(
        update(Ticket)
        .where(Ticket.ticket_hash == ticket.ticket_hash, Ticket.used_at.is_(None))
        .values(used_at=now)
        .returning(Ticket.ticket_hash)
    ).first()
    return won is not None


def end_all(work: Work, account_id: UUID) -> None:
    """Use up every ticket of an account: what was proven before a new password proves nothing now."""
    waiting = update(Ticket).where(Ticket.clinic_id == work.clinic_id, Ticket.account_id == account_id)
    work.session.execute(waiting.where(Ticket.used_at.is_(None)).values(used_at=work.now))


def forget(session: Session, before: datetime) -> int:
    """Forget tickets that ended before ``before``; return how many."""
    gone = session.execute(delete(Ticket).where(Ticket.expires_at < before).returning(Ticket.ticket_hash))
    return len(gone.all())
