"""Invite a patient; and where one has an account already, let nobody take it over on the way back."""

from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from server.clinical.vocabulary import AlertClass, DeliverySubject, Purpose, Role
from server.models import Account, Patient
from server.services.errors import Conflict, NotFound, StepUpRequired
from server.services.messages import delivery_address
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.people import account_notice, account_return, caregiver_account
from server.services.people import consent as consents
from server.services.people import email_address as addresses
from server.services.people import invitation as invitations
from server.services.people import patient as patients
from server.services.people import sign_in as sign_ins
from server.services.people.invitation import Invited, Invitee
from server.services.work import Work

CODE = "invitation_code"


def invite(work: Work, patient: Patient, email: str, word: str | None = None) -> Invited:
    """Invite a patient at ``email``. Where they have an account, it is to come back to them alone.

    Raises StepUpRequired where there is an account and the actor's sign-in is not fresh; Withheld where the
    care team would move it while the patient lets it read nothing; Conflict where it is closed, or an
    administrator invites somebody without one; AddressTaken where it is another account's; TooMany.
    """
    # Who is enrolling, or says no to the team, is waited for: what they make and end is seen.
    patients.lock(work, patient.id)
    account = account_return.of_patient(work, patient.id)
    if account is None and work.actor.role is Role.CLINIC_ADMIN:
        raise Conflict("no-account", "Whoever has no account yet is invited by the care team.")
    invitee = Invitee(Role.PATIENT, patient.name, email, word, patient.id, patient.birth_year)
    if account is None:
        _check_is_free(work, email)
        return invitations.invite(work, invitee)
    _check_fresh(work)
    if account.disabled_at is not None:  # no message goes there, and the code would open nothing
        raise Conflict("account-disabled", "The account is closed. An administrator has to open it first.")
    if account_return.moves(work, account, email):
        return _at_another_address(work, account, invitee)
    invited = invitations.invite(work, invitee)
    return send_code(work, account, invited, email)


def check_shown_again(work: Work, patient_id: UUID) -> None:
    """Raise StepUpRequired where `invite` would, before what it answered is told again."""
    if account_return.of_patient(work, patient_id) is not None:
        _check_fresh(work)


def send_code(work: Work, account: Account, invited: Invited, email: str) -> Invited:
    """Send the code of an invitation to the address it is for, and to nobody else.

    ``account``: for or by which it was made.
    """
    row = invited.invitation
    work.session.flush()
    told = Notice(
        f"{CODE}:{row.id}", CODE, DeliverySubject.ACCOUNT, row.id, AlertClass.P2, expires_at=row.expires_at
    )
    delivery_address.write_to(work, account, told, email, invited.code)
    return replace(invited, mailed=True)


def heed_owner(work: Work, account: Account) -> None:
    """End what would move ``account`` to another address: its owner has just signed in where it is."""
    if account.role is not Role.PATIENT or account.patient_id is None:
        return
    own, known = addresses.of(work, account), invitations.open_ones(work, account.patient_id)
    for one in (one for one in known if not invitations.is_for(work, one, own)):
        with suppress(NotFound):  # whoever took it back a moment ago was first: nobody is kept out by that
            invitations.cancel(work, one.id, account.patient_id)


def _check_fresh(work: Work) -> None:
    if not sign_ins.is_fresh(work.actor, work.now):
        raise StepUpRequired


def _check_is_free(work: Work, email: str) -> None:
    # Told to whoever invites: at home the patient could only be sent back to them.
    caregiver_account.give_way(work, email)
    accounts.check_is_free(work, email)


def _at_another_address(work: Work, account: Account, invitee: Invitee) -> Invited:
    assert account.patient_id is not None, "it is a patient's"
    by_admin = work.actor.role is Role.CLINIC_ADMIN
    if not by_admin:
        consents.require(work, account.patient_id, Purpose.CARE_TEAM)
    _check_is_free(work, invitee.email)
    invited = invitations.invite(work, invitee)
    work.session.flush()
    work.audit("invitation.move", account.patient_id, invited.invitation.id)
    account_notice.move_asked(work, account, addresses.of(work, account), invited.invitation.id)
    if by_admin:
        account_notice.move_asked_by_admin(work, invited.invitation.id)
    return invited
