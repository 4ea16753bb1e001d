"""Legal holds on what there is of a patient, placed and released by an administrator."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.base import PageQuery
from schemas.legal_hold import LegalHoldAnswer, LegalHoldBody, LegalHoldPage
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, stepped_up, writing
from server.api.kept_answer import once
from server.api.paging import paged
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import Role
from server.services.people import legal_hold as legal_holds

blueprint = Blueprint("legal holds", __name__, description="A reason in law to keep what there is")


@blueprint.route("/patients/<uuid:patient_id>/legal-holds", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@once(of_leaving=True)
@blueprint.arguments(LegalHoldBody)
@blueprint.response(201, LegalHoldAnswer, headers=documented_headers("ETag"))
def place_legal_hold(body: dict[str, Any], patient_id: UUID) -> Any:
    """Hold all there is of a patient: nothing is erased, nothing runs out. Audited."""
    with writing() as work:
        hold = legal_holds.place(work, patient_id, body["reason"], body.get("until"))
    return hold, 201, etag(hold.version)


@blueprint.route("/patients/<uuid:patient_id>/legal-holds", methods=["GET"])
@allow(Role.CLINIC_ADMIN)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, LegalHoldPage)
def list_legal_holds(query: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read a patient's holds, released ones among them. Audited."""
    with writing() as work:
        work.audit("legal-hold.list", patient_id)
        return paged(query, lambda after, size: legal_holds.page(work, patient_id, after, size))


@blueprint.route("/patients/<uuid:patient_id>/legal-holds/<uuid:hold_id>/release", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@stepped_up
@blueprint.response(200, LegalHoldAnswer, headers=documented_headers("ETag"))
@takes_version()
def release_legal_hold(patient_id: UUID, hold_id: UUID) -> Any:
    """Release a hold; needs If-Match. It stays readable. Again is harmless."""
    version = required_version()
    with writing() as work:
        hold = legal_holds.release(work, patient_id, hold_id, version)
    return hold, 200, etag(hold.version)
