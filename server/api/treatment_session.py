"""Treatment sessions."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.base import PageQuery
from schemas.treatment_session import (
    TreatmentSessionAnswer,
    TreatmentSessionBody,
    TreatmentSessionChanges,
    TreatmentSessionPage,
)
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, writing
from server.api.kept_answer import once
from server.api.paging import paged
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import Role
from server.services.visits import treatment_session as treatment_sessions
from server.services.visits import visit as visits

blueprint = Blueprint("treatment-sessions", __name__, description="Treatment sessions, planned and delivered")
CARE = (Role.CLINICIAN, Role.COORDINATOR)


@blueprint.route("/patients/<uuid:patient_id>/treatment-sessions", methods=["POST"])
@allow(*CARE)
@once()
@blueprint.arguments(TreatmentSessionBody)
@blueprint.response(201, TreatmentSessionAnswer, headers=documented_headers("ETag"))
def create_treatment_session(body: dict[str, Any], patient_id: UUID) -> Any:
    """Record a session. A delivered one fulfils the booked suggestion and starts the next baseline."""
    with writing() as work:
        session = visits.record(work, patient_id, body)
    return session, 201, etag(session.version)


@blueprint.route("/patients/<uuid:patient_id>/treatment-sessions", methods=["GET"])
@allow(*CARE)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, TreatmentSessionPage)
def list_treatment_sessions(query: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read a patient's sessions in the order they were recorded. Audited."""
    with writing() as work:
        work.audit("treatment-session.list", patient_id)
        return paged(query, lambda after, size: treatment_sessions.page(work, patient_id, after, size))


@blueprint.route("/patients/<uuid:patient_id>/treatment-sessions/<uuid:session_id>", methods=["PATCH"])
@allow(*CARE)
@blueprint.arguments(TreatmentSessionChanges)
@blueprint.response(200, TreatmentSessionAnswer, headers=documented_headers("ETag"))
@takes_version()
def change_treatment_session(body: dict[str, Any], patient_id: UUID, session_id: UUID) -> Any:
    """Deliver, move or cancel a session; needs If-Match. The days it touches are judged again."""
    version = required_version()
    with writing() as work:
        session = visits.change(work, patient_id, session_id, body, version)
    return session, 200, etag(session.version)
