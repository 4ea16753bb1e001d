"""The clinic's answer to a proposed appointment."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from schemas.fhir.resource import named_shape
from schemas.fhir.visit import FhirAppointmentResponseBody
from server.api.contract_notes import documented_headers
from server.api.edge import allow, writing
from server.api.fhir.answer import answered, base
from server.api.fhir.blueprint import FHIR, FhirBlueprint
from server.api.fhir.sent import check_whose, number_of, raw, read_as
from server.api.fhir.visiting import one
from server.clinical.visit import Proposed
from server.clinical.vocabulary import DeclineCode, Role, Scope
from server.fhir.clinic_answer import appointment_response
from server.fhir.identifiers import appointment_id
from server.fhir.visit_reading import Answered, read_appointment_response
from server.services.errors import Conflict, Invalid
from server.services.visits import inbox
from server.services.work import Work

blueprint = FhirBlueprint("appointment_response", "FHIR R4: the clinic's answer to a proposed visit")


@blueprint.route("/AppointmentResponse", methods=["POST"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.takes(FhirAppointmentResponseBody)
@blueprint.response(
    201,
    named_shape("AppointmentResponse"),
    content_type=FHIR,
    headers=documented_headers("ETag", "Location"),
)
def post_appointment_response(body: Mapping[str, Any]) -> Response:
    """Answer a proposed visit for the clinic. Again is harmless.

    `accepted` with start (and end) books it, `tentative` with a time asks the patient about it, without one
    it says that a person has seen it, `declined` ends it. A booked one is changed by PUT of the Appointment.
    """
    said = read_as(lambda: read_appointment_response(raw(body)))
    with writing() as work:
        stored = one(work, appointment_id(body["appointment"]) or said.appointment)
        check_whose(work, stored, body)
        _take(work, stored, said, number_of(body))
        shown = appointment_response(one(work, str(stored.id)), said)
    answer = answered(shown, 201)
    # R4 wants it of every create, and clients read the id of what they made there.
    answer.headers["Location"] = (
        f"{base()}/AppointmentResponse/{shown['id']}/_history/{shown['meta']['versionId']}"
    )
    return answer


def _take(work: Work, stored: Proposed, said: Answered, external_id: str | None) -> None:
    match said.status:
        case "accepted":
            _book(work, stored, said, external_id)
        case "declined":
            inbox.decline(work, stored.id, stored.version, DeclineCode.OTHER, None)
        case "tentative" if said.starts_at is not None:
            inbox.propose_time(work, stored.id, stored.version, said.starts_at, said.ends_at)
        case "tentative":
            inbox.acknowledge(work, stored.id, stored.version)


def _book(work: Work, stored: Proposed, said: Answered, external_id: str | None) -> None:
    if said.starts_at is None:
        raise Invalid("/start", "Say when: only the clinic decides the time.")
    if stored.starts_at not in (None, said.starts_at):
        # This answer names no version: it may be an old one that comes again.
        raise Conflict("booked-otherwise", "It is booked for another time. Put the Appointment to move it.")
    known = external_id or stored.external_id or str(stored.id)
    made = inbox.Appointment(known, said.starts_at, ends_at=said.ends_at)
    inbox.book(work, stored.id, stored.version, made)
