"""Second factors of an account: make one, confirm it, take it away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import FactorKind
from server.models import Account, Factor, SignIn
from server.services import vault
from server.services.errors import Conflict, NotFound
from server.services.people import account_notice, passkey, recovery_code, ticket, totp
from server.services.people import clinic as clinics
from server.services.people import email_address as addresses
from server.services.people.passkey import RelyingParty
from server.services.work import Work

MOST = 10
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class NewTotp:
    """An authenticator that waits for its first code. The secret is shown once."""

    id: UUID
    secret: str
    address: str


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A question to the browser, and the ticket its answer has to come with."""

    ticket: str
    options: Any


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A factor that counts from now on; with the first one come recovery codes, shown once."""

    factor: Factor
    recovery_codes: Sequence[str] | None


def confirmed(work: Work, account_id: UUID) -> Sequence[Factor]:
    """Return the factors of ``account_id`` that count, opened, oldest first."""
    query = select(Factor).where(
        Factor.clinic_id == work.clinic_id,
        Factor.account_id == account_id,
        Factor.confirmed_at.is_not(None),
        Factor.retired_at.is_(None),
    )
    return vault.opened(work, work.session.scalars(query.order_by(Factor.id)).all())


def own(work: Work) -> Sequence[Factor]:
    """Return the actor's own factors."""
    return confirmed(work, _own_id(work))


def begin_totp(work: Work, name: str) -> NewTotp:
    """Make an authenticator of the actor; it counts once `confirm_totp` has seen a code of it."""
    account = _locked(work)
    secret = totp.new_secret()
    row = _add(work, FactorKind.TOTP, name, secret)
    work.session.flush()
    return NewTotp(row.id, secret, totp.address(secret, addresses.of(work, account), clinics.get(work).name))


def confirm_totp(work: Work, factor_id: UUID, code: str) -> Confirmed | None:
    """Let an authenticator count from now on; None where ``code`` is none of it. Raises NotFound."""
    _locked(work)
    row = work.session.get(Factor, (work.clinic_id, factor_id))
    waits = row is not None and row.confirmed_at is None and row.retired_at is None
    if row is None or not waits or row.account_id != work.actor.account_id:
        raise NotFound("factor")
    (row,) = vault.opened(work, [row])
    return _settled(work, row) if totp.fits(work, row, code) else None


def begin_passkey(work: Work, party: RelyingParty) -> NewPasskey:
    """Return what the browser needs to make a passkey."""
    account = _locked(work)
    secret, row = ticket.issue(work, account.id)
    known = [one for one in own(work) if one.kind is FactorKind.PASSKEY]
    # Of two clinics with one address of theirs: who tidies up must not take the other one's away.
    label = f"{addresses.of(work, account)} ({clinics.get(work).name})"
    return NewPasskey(secret, passkey.registration(party, label, row, known))


def add_passkey(
    work: Work, party: RelyingParty, secret: str, name: str, credential: Mapping[str, Any]
) -> Confirmed | None:
    """Add the passkey that a browser has made for the ticket ``secret``; None where it is not right."""
    _locked(work)
    waiting = ticket.find(work.session, work.now, secret, work.actor.sign_in_id)
    made = passkey.made(party, waiting, credential)
    if made is None or not ticket.use(work.session, work.now, waiting):
        return None
    row = _add(work, FactorKind.PASSKEY, name, made[0])
    row.sign_count = made[1]
    return _settled(work, row)


def remove(work: Work, factor_id: UUID, is_required: bool) -> None:
    """Take one of the actor's factors away. Raises NotFound; Conflict for a last one that ``is_required``."""
    _locked(work)
    known = {one.id: one for one in own(work)}
    if factor_id not in known:
        raise NotFound("factor")
    if len(known) == 1 and is_required:
        raise Conflict("last-factor", "Add another one first: your account needs a second factor.")
    known[factor_id].retired_at = work.now
    work.session.flush()
    work.audit("factor.remove", object_id=factor_id)
    account_notice.changed(work, _own_id(work))


def reset(work: Work, account_id: UUID) -> None:
    """Take all factors and recovery codes of an account away: its owner has lost them."""
    work.session.execute(
        update(Factor)
        .where(
            Factor.clinic_id == work.clinic_id, Factor.account_id == account_id, Factor.retired_at.is_(None)
        )
        .values(retired_at=work.now)
    )
    recovery_code.renew(work, account_id)  # nobody is shown them
    work.audit("factor.reset", object_id=account_id)
    account_notice.changed(work, account_id)


def _settled(work: Work, row: Factor) -> Confirmed:
    """Let ``row`` count. The actor's sign-in is a whole one now; others that still waited end."""
    is_first = not own(work)
    row.confirmed_at = work.now
    work.session.flush()
    this_one = work.session.get_one(SignIn, (work.clinic_id, work.actor.sign_in_id))
    this_one.awaits_factor, this_one.authenticated_at = False, work.now
    work.session.flush()
    work.session.execute(
        update(SignIn)
        .where(SignIn.clinic_id == work.clinic_id, SignIn.account_id == row.account_id, SignIn.awaits_factor)
        .values(revoked_at=work.now, awaits_factor=False)
    )
    work.audit("factor.confirm", object_id=row.id)
    account_notice.changed(work, row.account_id)
    return Confirmed(row, recovery_code.renew(work, row.account_id) if is_first else None)


def _locked(work: Work) -> Account:
    """Return the actor's account, locked, if its sign-in may still change factors.

    A sign-in by password alone may add the first one only: somebody who knows the password must not get
    round the second factor by adding one of their own.
    """
    key, held = (work.clinic_id, _own_id(work)), {"key_share": True}
    account = work.session.get_one(Account, key, with_for_update=held)
    this_one = work.session.get_one(SignIn, (work.clinic_id, work.actor.sign_in_id), populate_existing=True)
    if this_one.revoked_at is not None or (this_one.awaits_factor and own(work)):
        raise Conflict("has-factor", "This account has a second factor by now. Sign in with it.")
    return account


def _add(work: Work, kind: FactorKind, name: str, secret: Any) -> Factor:
    if len(own(work)) >= MOST:
        raise Conflict("too-many-factors", f"An account has {MOST} at the most.")
    row = Factor(
        clinic_id=work.clinic_id, id=uuid7(), account_id=_own_id(work), kind=kind, created_at=work.now
    )
    vault.put(work, row, "name", name)
    vault.put(work, row, "secret", secret)
    work.session.add(row)
    return row


def _own_id(work: Work) -> UUID:
    assert work.actor.account_id is not None
    return work.actor.account_id
