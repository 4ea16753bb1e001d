"""What a clinic's administrator does about the accounts of its staff and systems."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from server.clinical.vocabulary import Role, Scope
from server.models import Account, Factor
from server.services.alerts import release
from server.services.errors import Conflict, NotFound, NotSignedIn
from server.services.people import caregiver as caregivers
from server.services.people import clinic as clinics
from server.services.people import email_address as addresses
from server.services.people import factor as factors
from server.services.people import left_behind, sign_out
from server.services.people import patient as patients
from server.services.work import Work

# Whom the clinic's administrator does not look after.
_OTHERS = (Role.PATIENT, Role.CAREGIVER)


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account, its address, and whether it has a second factor."""

    account: Account
    email: str
    has_factor: bool


def listed(work: Work) -> Sequence[KnownAccount]:
    """Return the accounts of the clinic's staff and systems, closed ones too, oldest first."""
    query = select(Account).where(Account.clinic_id == work.clinic_id, Account.role.not_in(_OTHERS))
    factored = select(Factor.account_id).where(
        Factor.clinic_id == work.clinic_id, Factor.confirmed_at.is_not(None), Factor.retired_at.is_(None)
    )
    with_factor = set(work.session.scalars(factored.distinct()))
    rows = work.session.scalars(query.order_by(Account.id))
    return [KnownAccount(row, addresses.of(work, row), row.id in with_factor) for row in rows]


def end_sign_ins(work: Work, account_id: UUID) -> None:
    """End every sign-in of an account of the clinic, and its export links. Raises NotFound."""
    sign_out.everywhere(work, _found(work, account_id).id)


def disable(work: Work, account_id: UUID) -> None:
    """Close an account, end its sign-ins, export links and invitations of staff, let go of its alerts.

    A patient's caregivers end with it. Again is harmless. Raises NotFound; Conflict for one's own.
    """
    account = _others(work, account_id)
    caregivers.end_with(work, account)  # whoever enrols holds the patient before their account, too
    account.disabled_at = account.disabled_at or work.now
    work.session.flush()
    sign_out.everywhere(work, account.id)
    left_behind.end_invitations(work, account.id)
    release.of_account(work, account.id)
    work.audit("account.disable", account.patient_id, account.id)


def enable(work: Work, account_id: UUID) -> None:
    """Open a closed account again. Raises NotFound."""
    account = _others(work, account_id)
    if account.disabled_at is not None:
        caregivers.end_with(work, account)  # an earlier version left them when it closed the account
    account.disabled_at = None
    work.session.flush()
    work.audit("account.enable", account.patient_id, account.id)


def reset_factors(work: Work, account_id: UUID) -> None:
    """Take away the second factors of somebody who has lost them, and end their sign-ins and export links.

    Until they add a new one, their password lets them do nothing else. Raises NotFound; Conflict for
    one's own.
    """
    account = _others(work, account_id)
    factors.reset(work, account.id)
    sign_out.everywhere(work, account.id)


def set_scopes(work: Work, account_id: UUID, scopes: Collection[Scope]) -> None:
    """Say what one of the clinic's systems may do. Raises NotFound; Conflict for people."""
    account = _found(work, account_id)
    if account.role is not Role.INTEGRATION:
        raise Conflict("no-system", "Only what systems may do is said by scopes.")
    account.scopes = sorted({scope.value for scope in scopes})
    work.session.flush()
    work.audit("account.scopes", object_id=account.id)


def _others(work: Work, account_id: UUID) -> Account:
    """Return an account that is not the actor's own; whoever closes accounts keeps theirs."""
    # One at a time: two administrators who close each other's account must not both succeed.
    clinics.lock(work)
    account = _found(work, account_id)
    if account.id == work.actor.account_id:
        raise Conflict("own-account", "Ask another administrator to do this to your own account.")
    mine = work.session.get_one(Account, (work.clinic_id, work.actor.account_id), populate_existing=True)
    if mine.disabled_at is not None:
        raise NotSignedIn
    return account


def _found(work: Work, account_id: UUID) -> Account:
    account = work.session.get(Account, (work.clinic_id, account_id))
    if account is None:
        raise NotFound("account")
    if account.patient_id is not None:
        # One whose erasure was confirmed is not to come back, and none is confirmed meanwhile.
        patients.get(work, account.patient_id, stays=True)
    return account
