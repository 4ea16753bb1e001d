"""Resources as the contract shows them: FHIR says what is in them, not we."""

from typing import Any

KINDS = (
    "Appointment",
    "AppointmentResponse",
    "Bundle",
    "CapabilityStatement",
    "DetectedIssue",
    "Observation",
    "OperationOutcome",
    "Patient",
    "Provenance",
    "QuestionnaireResponse",
    "ServiceRequest",
)


def named_shape(kind: str) -> dict[str, Any]:
    """Refer to the schema of a resource of ``kind``, one of `KINDS`: a client has one class for it."""
    assert kind in KINDS, kind
    return {"$ref": f"#/components/schemas/{kind}"}


def shape(kind: str) -> dict[str, Any]:
    """Return the schema of a resource of ``kind``."""
    return {
        "type": "object",
        "properties": {"resourceType": {"type": "string", "enum": [kind]}},
        "required": ["resourceType"],
        "additionalProperties": True,
    }


OUTCOME = named_shape("OperationOutcome")
