"""Invite, see who is invited, take it back; enrol."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.invitation import (
    EnrolmentBody,
    InvitationAnswer,
    OpenInvitations,
    PatientInvitationBody,
    StaffInvitationBody,
)
from schemas.sign_in import TokensAnswer
from server.api import signing_in
from server.api.address import client_address
from server.api.body import Blueprint
from server.api.edge import allow, here, open_to_all, reading, stepped_up, writing
from server.api.kept_answer import once
from server.clinical.vocabulary import Role
from server.isolation import Extent
from server.services.errors import Conflict, Invalid
from server.services.people import invitation as invitations
from server.services.people import patient as patients
from server.services.people import patient_invitation as patient_invitations
from server.services.people import sign_in_step as steps
from server.services.people import staff_invitation as staff_invitations
from server.services.people import tries
from server.services.people.invitation import Enrolment, Invited, Invitee
from server.services.work import Actor, Work

blueprint = Blueprint("invitations", __name__, description="Invitations, and enrolling with one")
CARE = (Role.CLINICIAN, Role.COORDINATOR)
PATIENTS = "/patients/<uuid:patient_id>/invitations"


@blueprint.route("/enrolments", methods=["POST"])
@open_to_all
@blueprint.arguments(EnrolmentBody)
@blueprint.response(201, TokensAnswer)
def enrol(body: Mapping[str, Any]) -> Any:
    """Enrol with the code of an invitation, from the address invited; you are signed in at once.

    `proof` is your year of birth, or the word the clinic has told you. After five tries that do not fit
    the code is dead. Staff who need a second factor can do nothing before they have added one.
    """
    around, address = here(), client_address()
    with around.database.write(Extent.NONE) as session:
        tries.begin_enrolment(session, around.clock(), address)
    try:
        return _enrolled(Enrolment(**body, factor_required=around.settings.needs_second_factor))
    except (Invalid, Conflict):
        # Who is asked for another password, or told to come later, has shown the code: that was no guess.
        with around.database.write(Extent.NONE) as session:
            tries.end_enrolment(session, address)
        raise


def _enrolled(enrolment: Enrolment) -> dict[str, Any]:
    around, outcome = here(), None
    with around.database.write(Extent.DOOR) as session:
        account = invitations.enrol(session, around.clock(), enrolment, around.passwords)
        if account is not None:
            work = Work(session, around.clock(), Actor(account.clinic_id, account.id, account.role))
            outcome = steps.after_password(work, account, signing_in.arrival({}))
            signing_in.remember(session, outcome)
            tries.end_enrolment(session, client_address())
    if account is None:
        raise invitations.refused()
    return signing_in.tokens_of(outcome)


@blueprint.route("/clinic/invitations", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@stepped_up
@once()
@blueprint.arguments(StaffInvitationBody)
@blueprint.response(201, InvitationAnswer)
def invite_staff(body: Mapping[str, Any]) -> Any:
    """Invite a colleague or an integration client; code and word are shown once.

    An address opens one account of a clinic: at one that somebody has it is 409 `email-taken`.
    """
    with writing() as work:
        return _told(staff_invitations.invite(work, Invitee(**body)))


@blueprint.route("/clinic/invitations", methods=["GET"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(200, OpenInvitations)
def list_staff_invitations() -> Any:
    """Read the invitations of staff and systems that can still be used."""
    with reading() as work:
        return {"items": invitations.open_ones(work, None)}


@blueprint.route("/clinic/invitations/<uuid:invitation_id>", methods=["DELETE"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(204)
def cancel_staff_invitation(invitation_id: UUID) -> Response:
    """Take an invitation of a colleague or system back."""
    with writing() as work:
        invitations.cancel(work, invitation_id, None)
    return Response(status=204)


@blueprint.route(PATIENTS, methods=["POST"])
@allow(*CARE, Role.CLINIC_ADMIN)
@once(check_again=patient_invitations.check_shown_again)
@blueprint.arguments(PatientInvitationBody)
@blueprint.response(201, InvitationAnswer)
def invite_patient(body: Mapping[str, Any], patient_id: UUID) -> Any:
    """Make a code with which the patient enrols once within 72 hours; earlier codes end.

    A patient who was enrolled before gets their account back with it, under the address invited. That
    needs a step-up. At their own address the code goes there by e-mail, and is not shown. At another one it
    opens after 24 hours: the address so far is told at once, and whoever signs in from there, or changes the
    password, ends it. While the patient lets no care team read, an administrator alone can do that; all are
    told. An account that was closed is opened again first (409 `account-disabled`). An address opens one
    account of a clinic: at another account's it is 409 `email-taken`.
    """
    with writing() as work:
        return _told(patient_invitations.invite(work, patients.get(work, patient_id), **body))


@blueprint.route(PATIENTS, methods=["GET"])
@allow(*CARE)
@blueprint.response(200, OpenInvitations)
def list_patient_invitations(patient_id: UUID) -> Any:
    """Read the invitation of a patient that can still be used, if there is one. Audited."""
    with writing() as work:
        patients.get(work, patient_id)
        work.audit("invitation.list", patient_id)
        return {"items": invitations.open_ones(work, patient_id)}


@blueprint.route(f"{PATIENTS}/<uuid:invitation_id>", methods=["DELETE"])
@allow(*CARE)
@blueprint.response(204)
def cancel_patient_invitation(patient_id: UUID, invitation_id: UUID) -> Response:
    """Take a patient's invitation back."""
    with writing() as work:
        invitations.cancel(work, invitation_id, patient_id)
    return Response(status=204)


def _told(invited: Invited) -> dict[str, Any]:
    row = invited.invitation
    return {
        "id": row.id,
        "code": None if invited.mailed else invited.code,
        "expires_at": row.expires_at,
        "proof": row.proof,
        "word": invited.word,
    }
