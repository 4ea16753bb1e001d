"""The trend with treatment sessions on it, for the patient and for the care team."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.trend import TrendAnswer, TrendQuery
from server.api.body import Blueprint
from server.api.edge import allow, reading, writing
from server.api.entry import own_patient
from server.clinical.vocabulary import Role
from server.services import trend as trends

blueprint = Blueprint("trend", __name__, description="Symptoms by day, with the sessions on them")
CARE = (Role.CLINICIAN, Role.COORDINATOR)


@blueprint.route("/me/trend", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.arguments(TrendQuery, location="query")
@blueprint.response(200, TrendAnswer)
def get_own_trend(query: Mapping[str, Any]) -> Any:
    """Read your own trend: what you reported, day by day, nothing concluded from it."""
    with reading() as work:
        return trends.read(work, own_patient(), query.get("first"), query.get("last"))


@blueprint.route("/patients/<uuid:patient_id>/trend", methods=["GET"])
@allow(*CARE)
@blueprint.arguments(TrendQuery, location="query")
@blueprint.response(200, TrendAnswer)
def get_trend(query: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read a patient's trend. Audited."""
    with writing() as work:
        work.audit("trend.read", patient_id)
        return trends.read(work, patient_id, query.get("first"), query.get("last"))
