"""The actor's own clinic and its staff."""

from typing import Any

from schemas.clinic import ClinicAnswer, ClinicChanges
from server.api.body import Blueprint
from server.api.edge import allow, reading, stepped_up, writing
from server.clinical.vocabulary import Role
from server.services.people import clinic as clinics

blueprint = Blueprint("clinic", __name__, description="The clinic")
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
@stepped_up
@blueprint.arguments(ClinicChanges)
@blueprint.response(200, ClinicAnswer)
def change_clinic(body: dict[str, Any]) -> Any:
    """Change name, zone, country, language, when patients' days start or if the safety question is asked,
    who writes to patients about their visits, and how long a visit takes.

    Another `day_start` is for what comes: no entry ever moves to another day.
    """
    with writing() as work:
        return clinics.update(work, body)
