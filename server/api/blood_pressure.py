"""Blood pressures of a patient: recorded by the care team, heeded by the guards of a visit."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.base import PageQuery
from schemas.blood_pressure import BloodPressureAnswer, BloodPressureBody, BloodPressurePage
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, writing
from server.api.kept_answer import once
from server.api.paging import paged
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import Role
from server.services.visits import blood_pressure as blood_pressures
from server.services.visits import recorded

blueprint = Blueprint("blood-pressures", __name__, description="Blood pressures at rest")
CARE = (Role.CLINICIAN, Role.COORDINATOR)


@blueprint.route("/patients/<uuid:patient_id>/blood-pressures", methods=["GET"])
@allow(*CARE)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, BloodPressurePage)
def list_blood_pressures(query: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read a patient's blood pressures in the order they were recorded. Audited."""
    with writing() as work:
        work.audit("blood-pressure.list", patient_id)
        return paged(query, lambda after, size: blood_pressures.page(work, patient_id, after, size))


@blueprint.route("/patients/<uuid:patient_id>/blood-pressures", methods=["POST"])
@allow(*CARE)
@once()
@blueprint.arguments(BloodPressureBody)
@blueprint.response(201, BloodPressureAnswer, headers=documented_headers("ETag"))
def create_blood_pressure(body: Mapping[str, Any], patient_id: UUID) -> Any:
    """Record a blood pressure at rest. The newest one counts."""
    given = body["systolic"], body["diastolic"], body.get("measured_at")
    with writing() as work:
        pressure = recorded.blood_pressure(work, patient_id, *given)
    return pressure, 201, etag(pressure.version)


@blueprint.route("/patients/<uuid:patient_id>/blood-pressures/<uuid:pressure_id>/withdraw", methods=["POST"])
@allow(*CARE)
@blueprint.response(200, BloodPressureAnswer, headers=documented_headers("ETag"))
@takes_version()
def withdraw_blood_pressure(patient_id: UUID, pressure_id: UUID) -> Any:
    """Take back one that was recorded by mistake; needs If-Match. It counts no more. Again is harmless."""
    version = required_version()
    with writing() as work:
        pressure = blood_pressures.withdraw(work, patient_id, pressure_id, version)
    return pressure, 200, etag(pressure.version)
