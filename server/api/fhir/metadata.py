"""What this facade can do, in FHIR's own words."""

from flask import Response

from server.api.contract import CONFIG
from server.api.edge import open_to_all
from server.api.fhir.answer import answered, base
from server.api.fhir.blueprint import FhirBlueprint
from server.fhir.capability_statement import capability_statement

blueprint = FhirBlueprint("metadata", "FHIR R4: what the facade can do")


@blueprint.route("/metadata", methods=["GET"])
@open_to_all
@blueprint.gives("CapabilityStatement")
def get_fhir_metadata() -> Response:
    """Read which resources there are, how they are searched for, and how one signs in."""
    return answered(capability_statement(base(), CONFIG["API_VERSION"]))
