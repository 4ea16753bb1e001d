"""Sign in, stay signed in, sign out. Refresh tokens are opaque, used once, and chained to one sign-in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server.models import Account, Clinic, RefreshToken, SignIn
from server.services.errors import NotSignedIn
from server.services.people import email_address as addresses
from server.services.people.passwords import Passwords
from server.services.people.secrets import fingerprint, new_secret
from server.services.work import Actor, Work

# Built once: every request of somebody signed in asks it.
_ACTOR = (
    select(Account.role, Account.patient_id)
    .join(SignIn, (SignIn.clinic_id == Account.clinic_id) & (SignIn.account_id == Account.id))
    .where(
        SignIn.clinic_id == bindparam("clinic"),
        SignIn.id == bindparam("sign_in"),
        SignIn.revoked_at.is_(None),
        Account.id == bindparam("account"),
        Account.disabled_at.is_(None),
    )
)

_NOWHERE = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Issued:
    """A sign-in that just got a fresh refresh token."""

    account: Account
    sign_in_id: UUID
    refresh_token: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person types."""

    clinic: str
    email: str
    password: str


def find_account(session: Session, credentials: Credentials, passwords: Passwords) -> Account:
    """Return the account the credentials belong to, or raise NotSignedIn: same words, same time, always."""
    clinic_id = session.scalar(select(Clinic.id).where(Clinic.slug == credentials.clinic))
    # A clinic that is not there is looked through all the same: it takes about as long.
    query = select(Account).where(addresses.is_of(session, clinic_id or _NOWHERE, credentials.email))
    account = session.scalar(query)
    usable = account if account is not None and account.disabled_at is None else None
    fits = passwords.matches(usable.password_hash if usable else None, credentials.password)
    if usable is None or not fits:
        raise NotSignedIn("Clinic, e-mail or password is not right.")
    return usable


def start(work: Work, account: Account, keep: timedelta) -> Issued:
    """Open a sign-in for ``account``; it ends when unused for ``keep``."""
    sign_in = SignIn(
        clinic_id=account.clinic_id,
        id=uuid7(),
        account_id=account.id,
        created_at=work.now,
        last_used_at=work.now,
    )
    work.session.add(sign_in)
    work.session.flush()
    work.audit("sign-in.start", account.patient_id, sign_in.id)
    return Issued(account, sign_in.id, _issue(work, sign_in, keep))


def refresh(session: Session, token: str, now: datetime, keep: timedelta) -> Issued | None:
    """Trade a refresh token for its successor.

    A token that was used before is theft or a copy: the whole sign-in ends and None is returned (so
    that the caller commits the revocation before it refuses). An unknown token raises NotSignedIn.
    """
    row = session.get(RefreshToken, fingerprint(token))
    if row is None or row.expires_at <= now:
        raise NotSignedIn
    sign_in = session.get_one(SignIn, (row.clinic_id, row.sign_in_id))
    account = session.get_one(Account, (row.clinic_id, sign_in.account_id))
    if sign_in.revoked_at is not None or account.disabled_at is not None:
        raise NotSignedIn
    work = Work(session, now, _actor(account, sign_in.id))
    won = session.execute(
        update(RefreshToken)
        .where(RefreshToken.token_hash == row.token_hash, RefreshToken.used_at.is_(None))
        .values(used_at=now)
        .returning(RefreshToken.token_hash)
    ).first()
    if won is None:
        end(work, sign_in.id, "sign-in.token-reused")
        return None
    sign_in.last_used_at = now
    return Issued(account, sign_in.id, _issue(work, sign_in, keep))


def end(work: Work, sign_in_id: UUID, action: str = "sign-in.end") -> None:
    """Revoke a sign-in: its access and refresh tokens are refused from the next request on."""
    work.session.execute(
        update(SignIn)
        .where(SignIn.clinic_id == work.clinic_id, SignIn.id == sign_in_id)
        .values(revoked_at=func.coalesce(SignIn.revoked_at, work.now))
    )
    work.audit(action, object_id=sign_in_id)


def actor(connection: Connection, clinic_id: UUID, sign_in_id: UUID, account_id: UUID) -> Actor:
    """Return who a valid access token stands for now, or raise NotSignedIn when it was revoked."""
    found = connection.execute(
        _ACTOR, {"clinic": clinic_id, "sign_in": sign_in_id, "account": account_id}
    ).first()
    if found is None:
        raise NotSignedIn
    return Actor(clinic_id, account_id, found.role, found.patient_id, sign_in_id)


def _actor(account: Account, sign_in_id: UUID) -> Actor:
    return Actor(account.clinic_id, account.id, account.role, account.patient_id, sign_in_id)


def _issue(work: Work, sign_in: SignIn, keep: timedelta) -> str:
    secret = new_secret()
    work.session.add(
        RefreshToken(
            token_hash=fingerprint(secret),
            clinic_id=sign_in.clinic_id,
            sign_in_id=sign_in.id,
            expires_at=work.now + keep,
        )
    )
    return secret
