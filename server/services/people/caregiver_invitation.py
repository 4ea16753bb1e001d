"""A patient invites somebody to look after their diary; the word is theirs to pass on."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Purpose, Role
from server.models import Caregiver
from server.services import tally, vault
from server.services.cap import INVITATION_PATIENT
from server.services.errors import Conflict, NotSignedIn
from server.services.people import account as accounts
from server.services.people import caregiver as caregivers
from server.services.people import consent as consents
from server.services.people import email_address as addresses
from server.services.people import invitation as invitations
from server.services.people import patient as patients
from server.services.people import patient_invitation
from server.services.people.invitation import Claim, Invited, Invitee
from server.services.work import Work

MOST = 10


def invite(work: Work, patient_id: UUID, values: Mapping[str, Any]) -> tuple[Caregiver, Invited]:
    """Invite somebody: name, email, relation, scopes, and perhaps the word that goes with the code.

    The code goes to that address by e-mail, whoever has it; the word is for the patient to pass on. They
    are good once and for 72 hours.

    Raises Withheld unless the patient's consent to caregivers holds, Conflict where there are too many,
    TooMany where too many were invited of late.
    """
    patients.lock(work, patient_id)
    consents.require(work, patient_id, Purpose.CAREGIVER)
    tally.take(work.session, work.now, INVITATION_PATIENT, str(work.clinic_id), str(patient_id))
    in_use = (Caregiver.clinic_id == work.clinic_id, Caregiver.patient_id == patient_id)
    count = select(func.count()).where(*in_use, Caregiver.ended_at.is_(None))
    if (work.session.scalar(count) or 0) >= MOST:
        raise Conflict("too-many-caregivers", f"A patient has {MOST} at the most.")
    person = Invitee(Role.CAREGIVER, values["name"], values["email"], values.get("word"), patient_id)
    invited = invitations.invite(work, person)
    work.session.flush()
    row = Caregiver(
        clinic_id=work.clinic_id,
        id=uuid7(),
        patient_id=patient_id,
        invitation_id=invited.invitation.id,
        relation=values["relation"],
        scopes=sorted({*values["scopes"]}),
        invited_at=work.now,
    )
    vault.put(work, row, "name", values["name"])
    vault.put(work, row, "email", values["email"])
    work.session.add(row)
    work.session.flush()
    work.audit("caregiver.invite", patient_id, row.id)
    if (account := accounts.of_patient(work, patient_id)) is None:
        raise NotSignedIn  # it was closed a moment ago, and its caregivers have ended
    patient_invitation.send_code(work, account, invited, values["email"])
    return row, invited


def join(work: Work, code: str, proof: str) -> UUID | None:
    """Let a caregiver who has an account already look after one more patient; return whom.

    None where their address or ``proof`` does not fit, which counts as a try: the caller commits in each
    case and tells it like every other code that is not for them, for which this raises DoesNotFit.
    """
    account = accounts.get(work)
    shown = Claim(code=code, email=addresses.of(work, account), proof=proof)
    invitation = invitations.claim(work.session, work.now, shown)
    if invitation is None:
        return None
    if (invitation.clinic_id, invitation.role) != (work.clinic_id, Role.CAREGIVER):
        raise invitations.refused()
    row = caregivers.check_invited(work, invitation.id)
    if accounts.held(work, account.id) is None:  # it ended a moment ago, with whom they looked after so far
        raise NotSignedIn
    caregivers.accept(work, row, account)
    return row.patient_id
