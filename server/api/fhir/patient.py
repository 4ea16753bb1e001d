"""Patients, and everything there is of one."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.fhir.journal import PatientQuery
from schemas.fhir.search import LARGEST_PAGE
from server.api.contract_notes import documented_headers
from server.api.edge import allow, writing
from server.api.fhir import journal
from server.api.fhir.answer import answered, page
from server.api.fhir.blueprint import FhirBlueprint
from server.api.fhir.cursor import uuid_after
from server.api.fhir.named import named
from server.fhir import ids
from server.fhir.identifiers import PATIENT_SYSTEM, Resource
from server.fhir.patient import Person, patient
from server.services.errors import NotFound
from server.services.people import patient as patients
from server.services.work import Work

blueprint = FhirBlueprint("patient", "FHIR R4: patients, and everything there is of one")


@blueprint.route("/Patient", methods=["GET"])
@allow(*journal.READERS)
@blueprint.arguments(PatientQuery, location="query")
@blueprint.gives("Bundle")
def search_patients(query: Mapping[str, Any]) -> Response:
    """Search the clinic's patients; a patient finds themself. Audited."""
    size = min(query["count"], LARGEST_PAGE)
    with writing() as work:
        work.audit("fhir.patient.search", work.actor.patient_id)
        return page(_found(work, query, size), size)


@blueprint.route("/Patient/<string:patient_id>", methods=["GET"])
@allow(*journal.READERS)
@blueprint.gives("Patient", headers=documented_headers("ETag"))
def get_fhir_patient(patient_id: str) -> Response:
    """Read one patient; a patient reads themself. Audited."""
    with writing() as work:
        found = resource(work, known(patient_id))
        work.audit("fhir.patient.read", known(patient_id))
    return answered(found)


def known(patient_id: str) -> UUID:
    """Return the id in an address; what is none is nobody's."""
    found = ids.read_uuid(patient_id)
    if found is None:
        raise NotFound("patient")
    return found


def resource(work: Work, patient_id: UUID) -> Resource:
    """Return a patient as a resource, or raise NotFound."""
    return patient(journal.value_of(patients.get(work, patient_id), Person))


def _found(work: Work, query: Mapping[str, Any], size: int) -> Iterator[Resource]:
    wanted, after = _wanted(work, query), uuid_after(query)
    if wanted is None:
        some = patients.page(work, after, size + 1)
        yield from (patient(journal.value_of(row, Person)) for row in some)
        return
    for patient_id in sorted(one for one in wanted if after is None or one > after):
        try:
            yield resource(work, patient_id)
        except NotFound:
            continue


def _wanted(work: Work, query: Mapping[str, Any]) -> set[UUID] | None:
    """Return the ids a search names, None where it is about everybody."""
    single = (work.actor.patient_id, query.get("id"))
    asked = [*({one} for one in single if one is not None), named(query.get("identifier"), PATIENT_SYSTEM)]
    bounds = [found for found in asked if found is not None]
    return set.intersection(*bounds) if bounds else None
