"""Patients: as little as tells them apart."""

from dataclasses import dataclass
from uuid import UUID

from server.fhir import codes
from server.fhir.identifiers import PATIENT_SYSTEM, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A patient of a clinic. ``country``: ISO 3166, two letters."""

    id: UUID
    clinic_id: UUID
    version: int
    name: str
    birth_year: int | None
    country: str


def patient(person: Person) -> Resource:
    """Return one patient."""
    born = {} if person.birth_year is None else {"birthDate": f"{person.birth_year:04}"}
    return {
        "resourceType": "Patient",
        "id": str(person.id),
        "meta": {"versionId": str(person.version)},
        "identifier": [{"system": PATIENT_SYSTEM, "value": str(person.id)}],
        "name": [{"text": codes.words(person.name)}],
        **born,
        "address": [{"country": person.country}],
        "managingOrganization": {
            "type": "Organization",
            "identifier": {"system": codes.CLINIC, "value": str(person.clinic_id)},
        },
    }
