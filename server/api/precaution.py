"""Precautions of a patient: recorded and ended by a clinician, heeded by the guards of a visit."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.base import PageQuery
from schemas.precaution import PrecautionAnswer, PrecautionBody, PrecautionPage
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, writing
from server.api.kept_answer import once
from server.api.paging import paged
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import Role
from server.services.visits import precaution as precautions
from server.services.visits import recorded

blueprint = Blueprint("precautions", __name__, description="Precautions: what speaks against a visit")


@blueprint.route("/patients/<uuid:patient_id>/precautions", methods=["GET"])
@allow(Role.CLINICIAN)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, PrecautionPage)
def list_precautions(query: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read a patient's precautions, those that have ended among them. Audited."""
    with writing() as work:
        work.audit("precaution.list", patient_id)
        return paged(query, lambda after, size: precautions.page(work, patient_id, after, size))


@blueprint.route("/patients/<uuid:patient_id>/precautions", methods=["POST"])
@allow(Role.CLINICIAN)
@once()
@blueprint.arguments(PrecautionBody)
@blueprint.response(201, PrecautionAnswer, headers=documented_headers("ETag"))
def create_precaution(body: dict[str, Any], patient_id: UUID) -> Any:
    """Record a precaution: from now on it turns every suggested visit into a review.

    Where a visit is approved or booked already, the care team is asked to look at it first.
    """
    with writing() as work:
        precaution = recorded.precaution(work, patient_id, body)
    return precaution, 201, etag(precaution.version)


@blueprint.route("/patients/<uuid:patient_id>/precautions/<uuid:precaution_id>/end", methods=["POST"])
@allow(Role.CLINICIAN)
@blueprint.response(200, PrecautionAnswer, headers=documented_headers("ETag"))
@takes_version()
def end_precaution(patient_id: UUID, precaution_id: UUID) -> Any:
    """End a precaution; needs If-Match. It stays readable. Again is harmless."""
    version = required_version()
    with writing() as work:
        precaution = precautions.end(work, patient_id, precaution_id, version)
    return precaution, 200, etag(precaution.version)
