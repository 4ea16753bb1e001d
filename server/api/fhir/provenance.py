"""Where what was filled in comes from."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from schemas.fhir.journal import ProvenanceQuery
from server.api.contract_notes import documented_headers
from server.api.edge import allow
from server.api.fhir import journal
from server.api.fhir.answer import answered
from server.api.fhir.blueprint import FhirBlueprint
from server.api.sharing import shares

blueprint = FhirBlueprint("provenance", "FHIR R4: who said it, with what, and when")
KIND = "provenance"


@blueprint.route("/Provenance", methods=["GET"])
@allow(*journal.READERS)
@shares(*journal.SHARED)
@blueprint.arguments(ProvenanceQuery, location="query")
@blueprint.gives("Bundle")
def search_provenances(query: Mapping[str, Any]) -> Response:
    """Search where what a patient has filled in comes from. Audited."""
    return journal.searched(query, KIND, journal.origins)


@blueprint.route("/Provenance/<string:resource_id>", methods=["GET"])
@allow(*journal.READERS)
@shares(*journal.SHARED)
@blueprint.gives("Provenance", headers=documented_headers("ETag"))
def get_provenance(resource_id: str) -> Response:
    """Read where one thing comes from. Audited."""
    return answered(journal.the_one(resource_id, KIND, journal.origins))
