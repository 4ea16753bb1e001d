"""The response curve, for the care team."""

from typing import Any
from uuid import UUID

from schemas.response_curve import ResponseCurveAnswer
from server.api.body import Blueprint
from server.api.edge import allow, writing
from server.api.sharing import shares
from server.clinical.vocabulary import Purpose, Role
from server.services.people import consent as consents
from server.services.watch import response_curve as response_curves

blueprint = Blueprint("response curves", __name__, description="What each session did, and what is left")


@blueprint.route("/patients/<uuid:patient_id>/response-curve", methods=["GET"])
@allow(Role.CLINICIAN, Role.COORDINATOR)
@shares(Purpose.CARE_TEAM)
@blueprint.response(200, ResponseCurveAnswer)
def get_response_curve(patient_id: UUID) -> Any:
    """Read what each session of the newest courses did, and until when it is expected to last. Audited."""
    with writing() as work:
        consents.require(work, patient_id, Purpose.CARE_TEAM)
        return {"arms": response_curves.read(work, patient_id)}
