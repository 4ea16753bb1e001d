"""The state of the watch, for clinicians."""

from typing import Any
from uuid import UUID

from schemas.watch import WatchAnswer
from server.api.body import Blueprint
from server.api.edge import allow, writing
from server.api.sharing import shares
from server.clinical.vocabulary import Purpose, Role
from server.services.people import consent as consents
from server.services.watch import watch

blueprint = Blueprint("watch", __name__, description="What the watch concludes, and on what grounds")


@blueprint.route("/patients/<uuid:patient_id>/watch", methods=["GET"])
@allow(Role.CLINICIAN)
@shares(Purpose.CARE_TEAM)
@blueprint.response(200, WatchAnswer)
def get_watch(patient_id: UUID) -> Any:
    """Read the newest judgement of each arm and of activation, and the last 30 days. Audited."""
    with writing() as work:
        consents.require(work, patient_id, Purpose.CARE_TEAM)
        return watch.read(work, patient_id)
