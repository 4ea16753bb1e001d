"""Sign in, prove who one is, sign out. A sign-in is one device; its tokens chain to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server.models import Account, Clinic, RefreshToken, SignIn
from server.services import vault
from server.services.errors import NotFound, NotSignedIn
from server.services.people import clinic as clinics
from server.services.people import email_address as addresses
from server.services.people.passwords import Passwords
from server.services.people.secrets import fingerprint, new_secret
from server.services.work import Actor, Work

# What is worth a second look needs a proof of the last minutes, not only a device left lying.
FRESH_FOR = timedelta(minutes=5)

# Built once: every request of somebody signed in asks it.
_ACTOR = (
    select(
        *(Account.role, Account.patient_id, Account.scopes),
        *(SignIn.authenticated_at, SignIn.awaits_factor),
    )
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
_NOT_RIGHT = "Clinic, e-mail or password is not right."


@dataclass(frozen=True, slots=True)
class Issued:
    """A sign-in that just got a fresh refresh token. While it awaits a factor, it opens that way alone.

    ``whose``: the clinic's short name and the e-mail address, where it was opened just now.
    """

    account: Account
    sign_in_id: UUID
    refresh_token: str
    awaits_factor: bool = False
    whose: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person types."""

    clinic: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Device:
    """What somebody signs in on: what they call it, and for how long it may lie unused."""

    keep: timedelta
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """When a sign-in ends by itself: unused for so long, and however much it is used after so long."""

    unused: timedelta
    longest: timedelta

    def end(self, sign_in: SignIn) -> datetime:
        """Return when ``sign_in`` ends, however much it is used."""
        return sign_in.created_at + self.longest


def find_account(session: Session, credentials: Credentials, passwords: Passwords) -> Account:
    """Return the account the credentials belong to, or raise NotSignedIn: same words, same time, always."""
    clinic_id = session.scalar(select(Clinic.id).where(Clinic.slug == credentials.clinic))
    # A clinic that is not there is looked through all the same: it takes about as long.
    query = select(Account).where(addresses.is_of(session, clinic_id or _NOWHERE, credentials.email))
    account = session.scalar(query)
    usable = account if account is not None and account.disabled_at is None else None
    fits = passwords.matches(usable.password_hash if usable else None, credentials.password)
    if usable is None or not fits:
        raise NotSignedIn(_NOT_RIGHT)
    return usable


def locked(work: Work, known: Account) -> Account:
    """Return ``known`` as it is now, locked; NotSignedIn where it was closed or got another password."""
    mine = (Account.clinic_id == known.clinic_id, Account.id == known.id)
    # Not against writes that only name the account: the second half of another sign-in does.
    found = work.session.scalar(select(Account).where(*mine).with_for_update(key_share=True))
    if found is None or found.disabled_at is not None or found.password_hash != known.password_hash:
        raise NotSignedIn(_NOT_RIGHT)
    return found


def renew_hash(work: Work, account: Account, renewed: str | None) -> None:
    """Keep a hash with today's parameters, unless the password was changed meanwhile."""
    if renewed is not None:
        work.session.execute(
            update(Account)
            .where(
                Account.clinic_id == account.clinic_id,
                Account.id == account.id,
                Account.password_hash == account.password_hash,
            )
            .values(password_hash=renewed)
        )


def start(work: Work, account: Account, device: Device, awaits_factor: bool = False) -> Issued:
    """Open a sign-in for ``account``; with ``awaits_factor`` it can do nothing before it has one."""
    sign_in = SignIn(
        clinic_id=account.clinic_id,
        id=uuid7(),
        account_id=account.id,
        created_at=work.now,
        last_used_at=work.now,
        authenticated_at=work.now,
        awaits_factor=awaits_factor,
    )
    if device.name is not None:
        vault.put(work, sign_in, "device", device.name)
    work.session.add(sign_in)
    work.session.flush()
    work.audit("sign-in.start", account.patient_id, sign_in.id)
    secret = new_secret()
    keep_token(work, secret, sign_in.id, device.keep)
    return Issued(
        account, sign_in.id, secret, awaits_factor, (clinics.get(work).slug, addresses.of(work, account))
    )


def keep_token(work: Work, secret: str, sign_in_id: UUID, keep: timedelta) -> None:
    """Let ``secret`` be a refresh token of a sign-in; unused for ``keep`` it ends."""
    work.session.add(
        RefreshToken(
            token_hash=fingerprint(secret),
            clinic_id=work.clinic_id,
            sign_in_id=sign_in_id,
            expires_at=work.now + keep,
        )
    )


def check_known(session: Session, token: str) -> None:
    """Raise NotSignedIn where ``token`` is no refresh token of ours."""
    if session.get(RefreshToken, fingerprint(token)) is None:
        raise NotSignedIn


def own(work: Work, life: Life) -> Sequence[SignIn]:
    """Return the actor's own sign-ins that are open, opened, the one used last first."""
    assert work.actor.account_id is not None
    query = select(SignIn).where(
        *_open_ones(work.clinic_id, work.actor.account_id),
        SignIn.last_used_at > work.now - life.unused,
        SignIn.created_at > work.now - life.longest,
    )
    rows = work.session.scalars(query.order_by(SignIn.last_used_at.desc(), SignIn.id.desc())).all()
    return vault.opened(work, rows)


def hold(work: Work) -> None:
    """Let nobody end the actor's sign-in before what they do is done; NotSignedIn where somebody just has.

    Whoever ends it ends what it has left behind, and would not see this.
    """
    mine = (SignIn.clinic_id == work.clinic_id, SignIn.id == work.actor.sign_in_id)
    stands = select(SignIn.id).where(*mine, SignIn.revoked_at.is_(None)).with_for_update(read=True)
    if work.actor.sign_in_id is not None and work.session.scalar(stands) is None:
        raise NotSignedIn


def end_own(work: Work, sign_in_id: UUID) -> None:
    """End one of the actor's own sign-ins; raises NotFound where it is none of theirs or ended."""
    row = work.session.get(SignIn, (work.clinic_id, sign_in_id))
    if row is None or row.account_id != work.actor.account_id or row.revoked_at is not None:
        raise NotFound("sign-in")
    end(work, sign_in_id)


def end(work: Work, sign_in_id: UUID, action: str = "sign-in.end") -> None:
    """Revoke a sign-in: its access and refresh tokens are refused from the next request on."""
    work.session.execute(
        update(SignIn)
        .where(SignIn.clinic_id == work.clinic_id, SignIn.id == sign_in_id)
        .values(revoked_at=func.coalesce(SignIn.revoked_at, work.now))
    )
    work.audit(action, object_id=sign_in_id)


def end_all(work: Work, account_id: UUID) -> int:
    """Revoke every sign-in of an account of the actor's clinic; return how many there were."""
    gone = work.session.execute(
        update(SignIn)
        .where(*_open_ones(work.clinic_id, account_id))
        .values(revoked_at=work.now)
        .returning(SignIn.id)
    ).all()
    account = work.session.get_one(Account, (work.clinic_id, account_id))
    work.audit("sign-in.end-all", account.patient_id, account_id)
    return len(gone)


def end_others(work: Work) -> None:
    """Revoke every sign-in of the actor's account but the one they act with."""
    assert work.actor.account_id is not None
    work.session.execute(
        update(SignIn)
        .where(*_open_ones(work.clinic_id, work.actor.account_id), SignIn.id != work.actor.sign_in_id)
        .values(revoked_at=work.now)
    )
    work.audit("sign-in.end-others", object_id=work.actor.account_id)


def step_up(work: Work) -> None:
    """Keep that the actor has just proved who they are. Raises NotSignedIn where the sign-in is gone."""
    row = work.session.get(SignIn, (work.clinic_id, work.actor.sign_in_id), with_for_update=True)
    if row is None:
        raise NotSignedIn
    row.authenticated_at = work.now
    work.session.flush()
    work.audit("sign-in.step-up", object_id=row.id)


def is_fresh(actor: Actor, now: datetime) -> bool:
    """Return whether the actor proved who they are within the last minutes, not by a clock that was ahead."""
    return actor.authenticated_at is not None and abs(now - actor.authenticated_at) <= FRESH_FOR


def actor(connection: Connection, clinic_id: UUID, sign_in_id: UUID, account_id: UUID) -> Actor:
    """Return who a valid access token stands for now, or raise NotSignedIn when it was revoked."""
    found = connection.execute(
        _ACTOR, {"clinic": clinic_id, "sign_in": sign_in_id, "account": account_id}
    ).first()
    if found is None:
        raise NotSignedIn
    return Actor(
        clinic_id,
        account_id,
        found.role,
        found.patient_id,
        sign_in_id,
        authenticated_at=found.authenticated_at,
        awaits_factor=found.awaits_factor,
        scopes=None if found.scopes is None else frozenset(found.scopes),
    )


def actor_of(account: Account, sign_in: SignIn) -> Actor:
    """Return who a sign-in of ``account`` stands for."""
    return Actor(account.clinic_id, account.id, account.role, account.patient_id, sign_in.id)


def _open_ones(clinic_id: UUID, account_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        SignIn.clinic_id == clinic_id,
        SignIn.account_id == account_id,
        SignIn.revoked_at.is_(None),
    )
