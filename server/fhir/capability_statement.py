"""The CapabilityStatement: what this server can do, told to software."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from server.fhir.identifiers import Resource

# When what is said below last changed.
SINCE = "2026-11-27"
_SECURITY = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_READS: Mapping[str, Sequence[tuple[str, str]]] = MappingProxyType(
    {
        "Patient": (("_id", "token"), ("identifier", "token")),
        "QuestionnaireResponse": (
            *(("patient", "reference"), ("authored", "date"), ("date", "date"), ("_lastUpdated", "date")),
        ),
        "Observation": (
            *(("patient", "reference"), ("date", "date"), ("code", "token"), ("_lastUpdated", "date")),
        ),
        "DetectedIssue": (
            *(("patient", "reference"), ("identified", "date"), ("date", "date"), ("_lastUpdated", "date")),
        ),
        "Provenance": (
            *(("patient", "reference"), ("when", "date"), ("date", "date"), ("_lastUpdated", "date")),
        ),
        "ServiceRequest": (
            *(("identifier", "token"), ("status", "token"), ("intent", "token")),
            *(("patient", "reference"), ("authored", "date"), ("_lastUpdated", "date")),
        ),
        "Appointment": (
            *(("identifier", "token"), ("status", "token"), ("patient", "reference")),
            *(("date", "date"), ("_lastUpdated", "date")),
        ),
    }
)
_KINDS = (*_READS, "AppointmentResponse")
_EVERYTHING = {
    "name": "everything",
    "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything",
}


def capability_statement(base: str, software: str) -> Resource:
    """Return the statement of the server at ``base``, release ``software``."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": SINCE,
        "kind": "instance",
        "software": {"name": "Afterglow", "version": software},
        "implementation": {"description": "Afterglow's FHIR facade", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json", "application/fhir+ndjson"],
        "rest": [{"mode": "server", "security": _security(), "resource": list(map(_resource, _KINDS))}],
    }


def _security() -> Resource:
    return {
        "service": [
            {"coding": [{"system": _SECURITY, "code": "OAuth"}], "text": "Bearer token of POST /v1/sign-ins"}
        ],
        "description": "A token of this service in the header Authorization. No SMART launch, no scopes.",
    }


def _resource(kind: str) -> Resource:
    reads = kind in _READS
    done = [*(["read", "search-type"] if reads else ["create"])]
    if kind == "Appointment":
        done.append("update")
    made: Resource = {
        "type": kind,
        "interaction": [{"code": code} for code in done],
        "versioning": "versioned-update" if kind == "Appointment" else "versioned",
        "readHistory": False,
        "updateCreate": False,
    }
    if reads:
        made["searchParam"] = [{"name": name, "type": how} for name, how in _READS[kind]]
    return made | ({"operation": [_EVERYTHING]} if kind == "Patient" else {})
