"""The patient's own export in FHIR: for the patient themself, with all that the facade leaves out."""

from collections.abc import Iterator
from uuid import UUID

from server.api.contract import CONFIG
from server.api.fhir.everything import lines
from server.api.fhir.patient import resource
from server.fhir.own import file
from server.services.journal import export as exports
from server.services.work import Work


def written(work: Work, patient_id: UUID) -> Iterator[str]:
    """Yield everything a patient reported, notes and tags and every version too, a resource a line."""
    export = exports.gather(work, patient_id, CONFIG["API_VERSION"])
    return lines(file.resources(resource(work, patient_id), export.head, export.sections))
