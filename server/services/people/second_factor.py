"""Prove a second factor: a few tries, then longer and longer pauses.

Who guesses has the password already, so nobody can lock out somebody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.clinical.vocabulary import FactorKind
from server.models import Account, Ticket
from server.services.people import factor as factors
from server.services.people import passkey, recovery_code, totp, tries
from server.services.people.passkey import RelyingParty
from server.services.work import Work


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

    Every try counts, so the caller commits also where it is False. Raises TooMany.
    """
    tries.begin_second_factor(work.session, work.now, account.id)
    if not _fits(work, account, proof):
        work.audit("second-factor.refused", object_id=account.id)
        return False
    tries.end_second_factor(work.session, account.id)
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
