"""What whoever had an account may have left to come in by: it ends when its owner takes the account back."""

from uuid import UUID

from sqlalchemy import update

from server.models import Account, Invitation
from server.services.people import caregiver as caregivers
from server.services.people import patient as patients
from server.services.people import patient_invitation
from server.services.work import Work


def hold(work: Work, account: Account) -> None:
    """Lock what `end` locks before the account itself: whoever enrols holds the patient first, too."""
    if account.patient_id is not None:
        patients.lock(work, account.patient_id)


def end(work: Work, account: Account) -> None:
    """End what was begun in the name of ``account`` and nobody has used yet. The caller called `hold`.

    Invitations of caregivers, of staff and systems, and what would move the account to another address.
    """
    if account.patient_id is not None:
        caregivers.end_invited(work, account.patient_id)
    patient_invitation.heed_owner(work, account)
    end_invitations(work, account.id)


def end_invitations(work: Work, account_id: UUID) -> None:
    """End what somebody might come in by that an account invited of staff and systems. Patients still do."""
    made = (Invitation.clinic_id == work.clinic_id, Invitation.created_by == account_id)
    is_open = (Invitation.used_at.is_(None), Invitation.cancelled_at.is_(None))
    ended = update(Invitation).where(*made, *is_open, Invitation.patient_id.is_(None))
    gone = work.session.scalars(ended.values(cancelled_at=work.now).returning(Invitation.id)).all()
    for invitation_id in gone:
        work.audit("invitation.cancel", object_id=invitation_id)
