"""What was filled in: entries and scales."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from schemas.fhir.journal import QuestionnaireResponseQuery
from server.api.contract_notes import documented_headers
from server.api.edge import allow
from server.api.fhir import journal
from server.api.fhir.answer import answered
from server.api.fhir.blueprint import FhirBlueprint
from server.api.sharing import shares

blueprint = FhirBlueprint("questionnaire_response", "FHIR R4: entries and scales as they were filled in")
KIND = "questionnaire_response"


@blueprint.route("/QuestionnaireResponse", methods=["GET"])
@allow(*journal.READERS)
@shares(*journal.SHARED)
@blueprint.arguments(QuestionnaireResponseQuery, location="query")
@blueprint.gives("Bundle")
def search_questionnaire_responses(query: Mapping[str, Any]) -> Response:
    """Search what a patient has filled in, also what was taken back. Audited."""
    return journal.searched(query, KIND, journal.forms)


@blueprint.route("/QuestionnaireResponse/<string:resource_id>", methods=["GET"])
@allow(*journal.READERS)
@shares(*journal.SHARED)
@blueprint.gives("QuestionnaireResponse", headers=documented_headers("ETag"))
def get_questionnaire_response(resource_id: str) -> Response:
    """Read what was filled in once; what was taken back has no answers. Audited."""
    return answered(journal.the_one(resource_id, KIND, journal.forms))
