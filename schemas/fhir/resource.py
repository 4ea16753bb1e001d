"""Resources as the contract shows them: FHIR says what is in them, not we."""

from typing import Any


def shape(*kinds: str) -> dict[str, Any]:
    """Return the schema of a resource of one of ``kinds``."""
    return {
        "type": "object",
        "properties": {"resourceType": {"type": "string", "enum": list(kinds)}},
        "required": ["resourceType"],
        "additionalProperties": True,
    }


OUTCOME = shape("OperationOutcome")
