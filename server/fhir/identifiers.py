"""How our things are named in FHIR, whoever holds the resource (docs/scheduling-fhir.md)."""

from typing import Any
from uuid import UUID

Resource = dict[str, Any]

# The same for every clinic and host: what we sent can be found again, whatever we are reached at.
SUGGESTION_SYSTEM = "urn:afterglow:suggestion"
PATIENT_SYSTEM = "urn:afterglow:patient"


def suggestion_identifier(suggestion_id: UUID) -> Resource:
    """Return the identifier of a suggested visit: of its ServiceRequest and of its Appointment."""
    return {"system": SUGGESTION_SYSTEM, "value": str(suggestion_id)}


def suggestion_token(suggestion_id: UUID) -> str:
    """Return what searches by that identifier ask for."""
    return f"{SUGGESTION_SYSTEM}|{suggestion_id}"


def reference(kind: str, name: str) -> Resource:
    """Return a reference to ``name``: an id of a ``kind``, `Kind/id`, or a whole address."""
    return {"reference": name if "/" in name else f"{kind}/{name}"}
