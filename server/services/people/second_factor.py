"""Prove a second factor: a few tries, then a pause.

Who guesses has the password already, so nobody can lock out somebody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import case, or_, update

from server.clinical.vocabulary import FactorKind
from server.models import Account, Ticket
from server.services.errors import TooMany
from server.services.people import factor as factors
from server.services.people import passkey, recovery_code, totp
from server.services.people.passkey import RelyingParty
from server.services.work import Work

MOST_TRIES, WITHIN = 10, timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody sends to prove their second factor. ``ticket`` holds what a passkey had to sign."""

    party: RelyingParty
    totp: str | None = None
    recovery_code: str | None = None
    passkey: Mapping[str, Any] | None = None
    ticket: Ticket | None = None

    @property
    def is_given(self) -> bool:
        """Whether there is any."""
        return any(one is not None for one in (self.totp, self.recovery_code, self.passkey))


def prove(work: Work, account: Account, proof: Proof) -> bool:
    """Return whether ``proof`` is of one of the account's factors, and use it up.

    Every try counts, so the caller commits also where it is False; after ten in fifteen minutes raises
    TooMany.
    """
    _count_try(work, account)
    if not _fits(work, account, proof):
        work.audit("second-factor.refused", object_id=account.id)
        return False
    work.session.execute(_of(account).values(factor_tries=0, factor_tries_since=None))
    return True


def _fits(work: Work, account: Account, proof: Proof) -> bool:
    if proof.recovery_code is not None:
        return recovery_code.use(work, account.id, proof.recovery_code)
    known = factors.confirmed(work, account.id)
    if proof.totp is not None:
        authenticators = [one for one in known if one.kind is FactorKind.TOTP]
        return any(totp.fits(work, one, proof.totp) for one in authenticators)
    if proof.passkey is None or proof.ticket is None:
        return False
    passkeys = [one for one in known if one.kind is FactorKind.PASSKEY]
    return passkey.fits(work, proof.party, proof.ticket, proof.passkey, passkeys) is not None


def _count_try(work: Work, account: Account) -> None:
    """Count a try before it is looked at, so that many at once are counted too."""
    over = or_(Account.factor_tries_since.is_(None), Account.factor_tries_since <= work.now - WITHIN)
    counted = work.session.execute(
        _of(account)
        .where(or_(over, Account.factor_tries < MOST_TRIES))
        .values(
            factor_tries=case((over, 1), else_=Account.factor_tries + 1),
            factor_tries_since=case((over, work.now), else_=Account.factor_tries_since),
        )
        .returning(Account.id)
    ).first()
    if counted is None:
        raise TooMany("Too many tries. Wait a quarter of an hour.", int(WITHIN.total_seconds()))


def _of(account: Account) -> Any:
    return update(Account).where(Account.clinic_id == account.clinic_id, Account.id == account.id)
