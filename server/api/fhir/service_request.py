"""Suggested visits as ServiceRequests: what we propose."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from schemas.fhir.visit import ServiceRequestQuery
from server.api.contract_notes import documented_headers
from server.api.edge import allow
from server.api.fhir.blueprint import FhirBlueprint
from server.api.fhir.visiting import READERS, found, read, request_of
from server.clinical.vocabulary import Scope
from server.fhir.visit_status import REQUEST_STATUS
from server.services.visits.approved import SHOWN

blueprint = FhirBlueprint("service_request", "FHIR R4: visits that we propose. No health data")


@blueprint.route("/ServiceRequest", methods=["GET"])
@allow(*READERS, scope=Scope.VISITS)
@blueprint.arguments(ServiceRequestQuery, location="query")
@blueprint.gives("Bundle")
def search_service_requests(query: Mapping[str, Any]) -> Response:
    """Search the visits that a clinician let go out, in the order they were made. Audited."""
    wanted = query.get("status")
    states = [state for state in SHOWN if wanted is None or REQUEST_STATUS[state] in wanted]
    proposals = "proposal" in query.get("intent", ("proposal",))
    return found(query, states if proposals else (), request_of)


@blueprint.route("/ServiceRequest/<string:visit_id>", methods=["GET"])
@allow(*READERS, scope=Scope.VISITS)
@blueprint.gives("ServiceRequest", headers=documented_headers("ETag"))
def get_service_request(visit_id: str) -> Response:
    """Read one proposal, also after it has ended. Audited."""
    return read(visit_id, request_of)
