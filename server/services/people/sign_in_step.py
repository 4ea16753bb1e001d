"""The second step of a sign-in, and proving later that it is still the same person."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from server.clinical.vocabulary import FactorKind
from server.models import Account, Factor
from server.services.errors import NotSignedIn
from server.services.people import factor as factors
from server.services.people import passkey, patient_invitation, recovery_code
from server.services.people import sign_in as sign_ins
from server.services.people import ticket as tickets
from server.services.people.factor import NewPasskey
from server.services.people.passkey import RelyingParty
from server.services.people.password_rules import STAFF
from server.services.people.second_factor import Proof, prove
from server.services.people.sign_in import Device, Issued
from server.services.work import Actor, Work


@dataclass(frozen=True, slots=True)
class Asked:
    """A second factor has to follow, with this ticket. ``passkey``: what the browser has to sign, or None."""

    ticket: str
    ways: list[str]
    passkey: Any


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who comes with the right password: on what, with what else, and whether a second factor is required."""

    device: Device
    proof: Proof
    factor_required: bool


def after_password(work: Work, account: Account, arrival: Arrival) -> Issued | Asked | None:
    """Sign ``account`` in, ask for its second factor, or return None where the one given does not fit.

    Staff without a factor, where one is required, get a sign-in that can only add one. The caller commits
    in each case. Raises TooMany.
    """
    has_factor = bool(factors.confirmed(work, account.id))
    if not has_factor:
        awaits = arrival.factor_required and account.role in STAFF
        return _start(work, account, arrival.device, awaits)
    if not arrival.proof.is_given:
        return _ask(work, account, arrival.proof.party)
    return _start(work, account, arrival.device) if prove(work, account, arrival.proof) else None


def with_ticket(session: Session, now: datetime, secret: str, arrival: Arrival) -> Issued | None:
    """Sign in whoever holds the ticket and proves the factor it asked for; None where it does not fit."""
    ticket = tickets.find(session, now, secret)
    account = session.get_one(Account, (ticket.clinic_id, ticket.account_id))
    if account.disabled_at is not None:
        raise NotSignedIn
    work = Work(session, now, Actor(account.clinic_id, account.id, account.role))
    if not prove(work, account, replace(arrival.proof, ticket=ticket)):
        return None
    if not tickets.use(session, now, ticket):
        raise NotSignedIn
    return _start(work, account, arrival.device)


def challenge(work: Work, party: RelyingParty) -> NewPasskey:
    """Ask the actor's passkeys for a signature, to step up with."""
    assert work.actor.account_id is not None
    secret, row = tickets.issue(work, work.actor.account_id)
    return NewPasskey(secret, passkey.assertion(party, row, _passkeys(work, work.actor.account_id)))


def prove_again(work: Work, proof: Proof, ticket: str | None) -> bool:
    """Return whether ``proof`` is of the actor, whose sign-in is fresh from then on."""
    account = work.session.get_one(Account, (work.clinic_id, work.actor.account_id))
    if ticket is not None:
        row = tickets.find(work.session, work.now, ticket, work.actor.sign_in_id)
        proof = replace(proof, ticket=row)
    if not prove(work, account, proof) or not _used(work, proof):
        return False
    sign_ins.step_up(work)
    return True


def password_is_enough(work: Work) -> bool:
    """Return whether the actor has no second factor, so that their password proves who they are."""
    assert work.actor.account_id is not None
    return not factors.confirmed(work, work.actor.account_id)


def _start(work: Work, account: Account, device: Device, awaits_factor: bool = False) -> Issued:
    patient_invitation.heed_owner(work, account)
    return sign_ins.start(work, account, device, awaits_factor)


def _used(work: Work, proof: Proof) -> bool:
    return proof.ticket is None or tickets.use(work.session, work.now, proof.ticket)


def _ask(work: Work, account: Account, party: RelyingParty) -> Asked:
    secret, row = tickets.issue(work, account.id)
    ways = sorted({one.kind.value for one in factors.confirmed(work, account.id)})
    if recovery_code.left(work, account.id):
        ways.append("recovery_code")
    passkeys = _passkeys(work, account.id)
    return Asked(secret, ways, passkey.assertion(party, row, passkeys) if passkeys else None)


def _passkeys(work: Work, account_id: UUID) -> list[Factor]:
    return [one for one in factors.confirmed(work, account_id) if one.kind is FactorKind.PASSKEY]
