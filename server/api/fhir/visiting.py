"""What both resources of a suggested visit share: which are asked for, and how one is shown."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Response

from schemas.fhir.search import LARGEST_PAGE
from server.api.edge import writing
from server.api.fhir.answer import answered, page
from server.api.fhir.cursor import uuid_after
from server.api.fhir.named import named
from server.api.fhir.spans import spans
from server.clinical.visit import Proposed
from server.clinical.vocabulary import Role, SuggestionState
from server.fhir import ids, visit
from server.fhir.codes import instant
from server.fhir.identifiers import SUGGESTION_SYSTEM, Resource
from server.services.errors import NotFound
from server.services.people import clinic as clinics
from server.services.visits import approved
from server.services.visits.approved import Asked
from server.services.work import Work

READERS = (Role.INTEGRATION, Role.CLINICIAN, Role.COORDINATOR)
Shown = Callable[[Proposed], Resource]


def found(query: Mapping[str, Any], states: Sequence[SuggestionState], shown: Shown) -> Response:
    """Return a page of the visits asked for, in one of ``states``."""
    size = min(query["count"], LARGEST_PAGE)
    with writing() as work:
        work.audit("booking-suggestion.pull")
        # A calendar's day is the clinic's, whoever the patients are.
        zone = clinics.get(work).zone
        asked = Asked(
            states=states,
            patient_id=query.get("patient"),
            ids=named(query.get("identifier"), SUGGESTION_SYSTEM),
            changed=spans(query.get("last_updated"), zone),
            starts=spans(query.get("date"), zone),
            made=spans(query.get("authored"), zone),
            after=uuid_after(query),
            size=size + 1,
        )
        return page(map(shown, approved.page(work, asked)), size)


def read(visit_id: str, shown: Shown) -> Response:
    """Return one visit."""
    with writing() as work:
        proposed = one(work, visit_id)
        is_read(work, proposed)
    return answered(shown(proposed))


def is_read(work: Work, proposed: Proposed) -> None:
    """Put on record that a visit is read, also where what it was to become it is already."""
    work.audit("booking-suggestion.read", proposed.patient_id, proposed.id)


def one(work: Work, visit_id: str) -> Proposed:
    """Return the visit whose resource has the id ``visit_id``, or raise NotFound."""
    known = ids.read_uuid(visit_id)
    if known is None:
        raise NotFound("booking suggestion")
    return approved.get(work, known)


def request_of(proposed: Proposed) -> Resource:
    """Return a visit as our ServiceRequest."""
    return _ours(visit.service_request(proposed), proposed)


def appointment_of(proposed: Proposed) -> Resource:
    """Return a visit as our Appointment."""
    return _ours(visit.appointment(proposed, based_on=f"ServiceRequest/{proposed.id}"), proposed)


def _ours(resource: Resource, proposed: Proposed) -> Resource:
    meta = {"versionId": str(proposed.version), "lastUpdated": instant(proposed.changed_at)}
    return {"resourceType": resource["resourceType"], "id": str(proposed.id), "meta": meta} | resource
