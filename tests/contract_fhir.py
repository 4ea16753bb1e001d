"""What Ana sees of her journal through the FHIR facade, for the contract."""

from collections.abc import Callable
from typing import Any

FHIR = "/fhir/R4"


def play(ask: Callable[..., Any], ana: str, patient: str) -> None:
    """Read what the facade can do, search for a page of each kind, and take everything away."""
    ask(None, f"get {FHIR}/metadata")
    ask(ana, f"get {FHIR}/Patient")
    ask(ana, f"get {FHIR}/Patient/{{patient_id}}", patient_id=patient)
    for kind in ("QuestionnaireResponse", "Observation", "Provenance"):
        found = ask(ana, f"get {FHIR}/{kind}", query="?_count=2")["entry"][0]["resource"]
        ask(ana, f"get {FHIR}/{kind}/{{resource_id}}", resource_id=found["id"])
    everything = f"get {FHIR}/Patient/{{patient_id}}/$everything"
    ask(ana, everything, patient_id=patient)
    lines, query = "application/fhir+ndjson", "?_type=Patient"
    ask(ana, everything, patient_id=patient, accept=lines, query=query)
