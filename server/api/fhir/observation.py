"""The numbers of entries, side effects, and scores."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import Response

from schemas.fhir.journal import ObservationQuery
from schemas.fhir.search import Token
from server.api.contract_notes import documented_headers
from server.api.edge import allow
from server.api.fhir import journal
from server.api.fhir.answer import answered
from server.api.fhir.blueprint import FhirBlueprint
from server.api.sharing import shares
from server.fhir.identifiers import Resource
from server.fhir.reported import Reported

blueprint = FhirBlueprint("observation", "FHIR R4: the numbers of entries and scales")
KIND = "observation"


@blueprint.route("/Observation", methods=["GET"])
@allow(*journal.READERS)
@shares(*journal.SHARED)
@blueprint.arguments(ObservationQuery, location="query")
@blueprint.gives("Bundle")
def search_observations(query: Mapping[str, Any]) -> Response:
    """Search the numbers a patient has reported. What was not answered is not there. Audited."""

    def made(said: Reported) -> Iterator[Resource]:
        return (one for one in journal.numbers(said) if _has_code(one, query.get("code")))

    return journal.searched(query, KIND, made)


@blueprint.route("/Observation/<string:resource_id>", methods=["GET"])
@allow(*journal.READERS)
@shares(*journal.SHARED)
@blueprint.gives("Observation", headers=documented_headers("ETag"))
def get_observation(resource_id: str) -> Response:
    """Read one number. Audited."""
    return answered(journal.the_one(resource_id, KIND, journal.numbers))


def _has_code(resource: Resource, tokens: Sequence[Token] | None) -> bool:
    codings = resource["code"]["coding"]
    return tokens is None or any(
        token.system in (None, coding["system"]) and token.code in (None, coding["code"])
        for token in tokens
        for coding in codings
    )
