"""Check-in plans."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.check_in_plan import CheckInPlanAnswer, RhythmBody, ScalesBody
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, reading, writing
from server.api.entry import own_patient
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import Role
from server.services.journal import check_in_plan as check_in_plans

blueprint = Blueprint("check-in plans", __name__, description="How a patient is reminded and asked")
CARE = (Role.CLINICIAN, Role.COORDINATOR)


@blueprint.route("/me/check-in-plan", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.response(200, CheckInPlanAnswer, headers=documented_headers("ETag"))
def get_own_check_in_plan() -> Any:
    """Read your plan."""
    with reading() as work:
        plan = check_in_plans.get(work, own_patient())
        return plan, 200, etag(plan.version)


@blueprint.route("/me/check-in-plan", methods=["PUT"])
@allow(Role.PATIENT)
@blueprint.arguments(RhythmBody)
@blueprint.response(200, CheckInPlanAnswer, headers=documented_headers("ETag"))
@takes_version()
def put_own_check_in_plan(body: Mapping[str, Any]) -> Any:
    """Set when and how often you are reminded, pause it or switch it off; needs If-Match."""
    version = required_version()
    with writing() as work:
        plan = check_in_plans.set_rhythm(work, own_patient(), body, version)
    return plan, 200, etag(plan.version)


@blueprint.route("/patients/<uuid:patient_id>/check-in-plan", methods=["GET"])
@allow(*CARE)
@blueprint.response(200, CheckInPlanAnswer, headers=documented_headers("ETag"))
def get_check_in_plan(patient_id: UUID) -> Any:
    """Read a patient's plan. Audited."""
    with writing() as work:
        plan = check_in_plans.get(work, patient_id)
        work.audit("check-in-plan.read", patient_id)
        return plan, 200, etag(plan.version)


@blueprint.route("/patients/<uuid:patient_id>/check-in-plan", methods=["PUT"])
@allow(*CARE)
@blueprint.arguments(ScalesBody)
@blueprint.response(200, CheckInPlanAnswer, headers=documented_headers("ETag"))
@takes_version()
def put_check_in_plan(body: Mapping[str, Any], patient_id: UUID) -> Any:
    """Set which scales a patient is asked and when; needs If-Match. The reminders stay the patient's."""
    version = required_version()
    with writing() as work:
        plan = check_in_plans.set_scales(work, patient_id, body["scales"], version)
    return plan, 200, etag(plan.version)
