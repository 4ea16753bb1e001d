"""What is otherwise for one patient than for the clinic."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.patient_policy import PatientPolicyAnswer, PatientPolicyBody
from server.api.body import Blueprint
from server.api.edge import allow, stepped_up, writing
from server.clinical.vocabulary import Role
from server.services.watch import patient_policy as patient_policies
from server.services.watch.patient_policy import EffectivePolicy

blueprint = Blueprint("patient-policy", __name__, description="Thresholds of one patient")
PATH = "/patients/<uuid:patient_id>/policy"


@blueprint.route(PATH, methods=["GET"])
@allow(Role.CLINICIAN, Role.COORDINATOR)
@blueprint.response(200, PatientPolicyAnswer)
def get_patient_policy(patient_id: UUID) -> Any:
    """Read what a patient is judged by, and what of it is otherwise for them. Audited."""
    with writing() as work:
        return _told(patient_policies.read(work, patient_id))


@blueprint.route(PATH, methods=["PUT"])
@allow(Role.CLINICIAN)
@stepped_up
@blueprint.arguments(PatientPolicyBody)
@blueprint.response(200, PatientPolicyAnswer)
def put_patient_policy(body: Mapping[str, Any], patient_id: UUID) -> Any:
    """Let some thresholds be otherwise for one patient, from now on and with a reason.

    The values replace those before. Red flags and escalation are the same for everybody.
    """
    with writing() as work:
        expected = body.get("expected_version")
        return _told(patient_policies.put(work, patient_id, body["values"], body["reason"], expected))


@blueprint.route(PATH, methods=["DELETE"])
@allow(Role.CLINICIAN)
@stepped_up
@blueprint.response(204)
def delete_patient_policy(patient_id: UUID) -> Response:
    """Let everything be as for everybody again. Again is harmless."""
    with writing() as work:
        patient_policies.remove(work, patient_id)
    return Response(status=204)


def _told(found: EffectivePolicy) -> dict[str, Any]:
    own = found.own
    return {
        "clinic_version": found.clinic_version,
        "patient_version": found.patient_version,
        "values": {} if own is None else own.values,
        "reason": None if own is None else own.reason,
        "created_at": None if own is None else own.created_at,
        "created_by": found.created_by,
        "thresholds": found.settings,
    }
