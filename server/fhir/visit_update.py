"""Bringing a visit up to date in the clinic's system without undoing what was done there."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import uuid5

from server.clinical.visit import Proposed
from server.fhir.identifiers import Resource, suggestion_token
from server.fhir.visit import appointment, service_request

# What is ours to change once it is there. Status, people and the time are the clinic's.
OURS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Appointment": ("serviceType", "priority", "minutesDuration", "requestedPeriod", "slot"),
        "ServiceRequest": ("priority", "code", "occurrencePeriod", "performer", "locationReference"),
    }
)
ENDED: Mapping[str, str] = MappingProxyType({"Appointment": "cancelled", "ServiceRequest": "revoked"})


def revised(there: Resource, ours: Resource) -> Resource:
    """Return what is ``there`` with our members as they are now; equal to ``there`` if nothing changed."""
    members = OURS[ours["resourceType"]]
    kept = {name: value for name, value in there.items() if name not in members}
    return {**kept, **{name: ours[name] for name in members if name in ours}}


def ended(there: Resource) -> Resource:
    """Return what is ``there``, taken back by us."""
    return {**there, "status": ENDED[there["resourceType"]]}


def transaction(proposed: Proposed, patient_system: str | None = None) -> Resource:
    """Return the Bundle that makes both at once, or neither; sent again it makes nothing."""
    request_name = f"urn:uuid:{uuid5(proposed.id, 'ServiceRequest')}"
    both = {
        request_name: service_request(proposed, patient_system),
        f"urn:uuid:{uuid5(proposed.id, 'Appointment')}": appointment(proposed, patient_system, request_name),
    }
    condition = f"identifier={suggestion_token(proposed.id)}"
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": name,
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"], "ifNoneExist": condition},
            }
            for name, resource in both.items()
        ],
    }
