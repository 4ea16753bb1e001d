"""Patients of the actor's clinic."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.base import PageQuery
from schemas.patient import PatientAnswer, PatientBody, PatientChanges, PatientPage
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, writing
from server.api.kept_answer import once
from server.api.paging import paged
from server.api.shapes import joined
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import Role
from server.services.alerts import reach
from server.services.people import patient as patients

blueprint = Blueprint("patients", __name__, description="Patients")
CARE = (Role.CLINICIAN, Role.COORDINATOR)


@blueprint.route("/patients", methods=["POST"])
@allow(*CARE)
@once(makes_patient=True)
@blueprint.arguments(PatientBody)
@blueprint.response(201, PatientAnswer, headers=documented_headers("ETag"))
def create_patient(body: dict[str, Any]) -> Any:
    """Register a patient."""
    with writing() as work:
        patient = patients.create(work, body)
    return patient, 201, etag(patient.version)


@blueprint.route("/patients", methods=["GET"])
@allow(*CARE)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, PatientPage)
def list_patients(query: Mapping[str, Any]) -> Any:
    """Read the clinic's patients, and whom no message reaches, a page at a time. Audited."""
    with writing() as work:
        work.audit("patient.list")
        return paged(query, lambda after, size: reach.listed(work, after, size))


@blueprint.route("/patients/<uuid:patient_id>", methods=["GET"])
@allow(*CARE, Role.PATIENT)
@blueprint.response(200, PatientAnswer, headers=documented_headers("ETag"))
def get_patient(patient_id: UUID) -> Any:
    """Read one patient; a patient reads only themself. Audited."""
    with writing() as work:
        patient = patients.get(work, patient_id)
        work.audit("patient.read", patient_id)
        # A suspicion is told in a conversation, not by an app.
        hidden = {"bipolar_risk": None} if work.actor.role is Role.PATIENT else {}
        answer = joined(patient, PatientAnswer, **hidden)
    return answer, 200, etag(patient.version)


@blueprint.route("/patients/<uuid:patient_id>", methods=["PATCH"])
@allow(*CARE)
@blueprint.arguments(PatientChanges)
@blueprint.response(200, PatientAnswer, headers=documented_headers("ETag"))
@takes_version()
def change_patient(body: dict[str, Any], patient_id: UUID) -> Any:
    """Change a patient's details; needs If-Match."""
    version = required_version()
    with writing() as work:
        patient = patients.update_details(work, patient_id, body, version)
    return patient, 200, etag(patient.version)
