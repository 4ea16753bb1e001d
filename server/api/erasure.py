"""The erasure of a patient, in two steps."""

from typing import Any
from uuid import UUID

from flask import Response

from schemas.erasure import ErasureAnswer, ErasureBody, ErasureConfirmation
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, stepped_up, writing
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import Role
from server.services.people import erasure as erasures

blueprint = Blueprint("erasure", __name__, description="Erase all there is of a patient")
_PATH = "/patients/<uuid:patient_id>/erasure"


@blueprint.route(_PATH, methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@stepped_up
@blueprint.arguments(ErasureBody)
@blueprint.response(201, ErasureAnswer, headers=documented_headers("ETag"))
def ask_erasure(body: dict[str, Any], patient_id: UUID) -> Any:
    """Ask for a patient's erasure. Nothing happens before it is confirmed, within 7 days. Audited."""
    with writing() as work:
        erasure = erasures.ask(work, patient_id, body["reason"])
    return erasure, 201, etag(erasure.version)


@blueprint.route(f"{_PATH}/confirm", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@stepped_up
@blueprint.arguments(ErasureConfirmation)
@blueprint.response(200, ErasureAnswer, headers=documented_headers("ETag"))
@takes_version()
def confirm_erasure(body: dict[str, Any], patient_id: UUID) -> Any:
    """Confirm it; needs If-Match. Nobody finds the patient any more; it can't be taken back. Audited."""
    version = required_version()
    with writing() as work:
        erasure = erasures.confirm(work, patient_id, version, body["patient_name"])
    return erasure, 200, etag(erasure.version)


@blueprint.route(_PATH, methods=["GET"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(200, ErasureAnswer, headers=documented_headers("ETag"))
def get_erasure(patient_id: UUID) -> Any:
    """Read how far it is and, once it is done, its receipt. Audited."""
    with writing() as work:
        erasure = erasures.get(work, patient_id)
        work.audit("erasure.read", patient_id, erasure.id)
    return erasure, 200, etag(erasure.version)


@blueprint.route(_PATH, methods=["DELETE"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(204)
def cancel_erasure(patient_id: UUID) -> Response:
    """Take back an erasure that was not confirmed."""
    with writing() as work:
        erasures.cancel(work, patient_id)
    return Response(status=204)
