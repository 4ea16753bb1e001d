"""The actor's own clinic and its staff."""

from collections.abc import Mapping
from typing import Any

from schemas.clinic import ClinicAnswer, ClinicChanges, InvitationAnswer, StaffInvitationBody
from server.api.body import Blueprint
from server.api.edge import allow, reading, writing
from server.clinical.vocabulary import Role
from server.services.errors import Invalid
from server.services.people import clinic as clinics
from server.services.people import invitation as invitations

blueprint = Blueprint("clinic", __name__, description="The clinic and its staff")
STAFF = (Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN)


@blueprint.route("/clinic", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, ClinicAnswer)
def get_clinic() -> Any:
    """Read your clinic."""
    with reading() as work:
        return clinics.get(work)


@blueprint.route("/clinic", methods=["PATCH"])
@allow(Role.CLINIC_ADMIN)
@blueprint.arguments(ClinicChanges)
@blueprint.response(200, ClinicAnswer)
def change_clinic(body: dict[str, Any]) -> Any:
    """Change name, zone, country, language, when patients' days start or if the safety question is asked,
    who writes to patients about their visits, and how long a visit takes.

    Another `day_start` is for what comes: no entry ever moves to another day.
    """
    with writing() as work:
        return clinics.update(work, body)


@blueprint.route("/clinic/invitations", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@blueprint.arguments(StaffInvitationBody)
@blueprint.response(201, InvitationAnswer)
def invite_staff(body: Mapping[str, Any]) -> Any:
    """Invite a colleague or an integration client; the code is shown once."""
    if body["role"] in (Role.PATIENT, Role.CAREGIVER):
        raise Invalid("/role", "Patients are invited under their own record, caregivers by their patients.")
    with writing() as work:
        invited = invitations.invite(work, body["role"], body["name"])
    return {"id": invited.invitation.id, "code": invited.code, "expires_at": invited.invitation.expires_at}
