"""The response curve, for the care team."""

from typing import Any
from uuid import UUID

from schemas.response_curve import ResponseCurveAnswer
from server.api.body import Blueprint
from server.api.edge import allow, writing
from server.clinical.vocabulary import Role
from server.services.watch import response_curve as response_curves

blueprint = Blueprint("response curves", __name__, description="What each session did, and what is left")


@blueprint.route("/patients/<uuid:patient_id>/response-curve", methods=["GET"])
@allow(Role.CLINICIAN, Role.COORDINATOR)
@blueprint.response(200, ResponseCurveAnswer)
def get_response_curve(patient_id: UUID) -> Any:
    """Read what each session of the newest courses did, and until when it is expected to last. Audited."""
    with writing() as work:
        return {"arms": response_curves.read(work, patient_id)}
