"""Suggested visits as Appointments: how they stand, and what the clinic's system makes of them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from flask import Response

from schemas.fhir.visit import AppointmentQuery, FhirAppointmentBody
from server.api.contract_notes import documented_headers
from server.api.edge import allow, writing
from server.api.fhir.answer import answered
from server.api.fhir.blueprint import FhirBlueprint
from server.api.fhir.sent import check_whose, number_of, raw, read_as
from server.api.fhir.version import required_version
from server.api.fhir.visiting import READERS, appointment_of, found, is_read, one, read
from server.api.version_header import takes_version
from server.clinical.visit import Proposed
from server.clinical.vocabulary import DeclineCode, PeerStatus, Role, Scope, SuggestionState
from server.fhir.visit_reading import read_appointment
from server.fhir.visit_status import APPOINTMENT_STATUS
from server.services.errors import Conflict, Invalid
from server.services.visits import inbox
from server.services.visits.approved import SHOWN
from server.services.work import Work

blueprint = FhirBlueprint("appointment", "FHIR R4: visits on the calendar. No health data")
Report = Callable[[Work, UUID, int], Any]
# What is reported without a time of its own.
_REPORTS: Mapping[PeerStatus, Report] = MappingProxyType(
    {
        PeerStatus.PENDING: inbox.acknowledge,
        PeerStatus.ARRIVED: inbox.arrive,
        PeerStatus.FULFILLED: inbox.fulfil,
        PeerStatus.NOSHOW: inbox.noshow,
        PeerStatus.CANCELLED: inbox.cancel,
    }
)
_OVER = (PeerStatus.DECLINED, PeerStatus.CANCELLED)


@blueprint.route("/Appointment", methods=["GET"])
@allow(*READERS, scope=Scope.VISITS)
@blueprint.arguments(AppointmentQuery, location="query")
@blueprint.gives("Bundle")
def search_appointments(query: Mapping[str, Any]) -> Response:
    """Search the visits that a clinician let go out, in the order they were made. Audited."""
    wanted = query.get("status")
    states = [state for state in SHOWN if wanted is None or _status(state) in wanted]
    return found(query, states, appointment_of)


@blueprint.route("/Appointment/<string:visit_id>", methods=["GET"])
@allow(*READERS, scope=Scope.VISITS)
@blueprint.gives("Appointment", headers=documented_headers("ETag"))
def get_appointment(visit_id: str) -> Response:
    """Read one appointment, also after it has ended. Audited."""
    return read(visit_id, appointment_of)


@blueprint.route("/Appointment/<string:visit_id>", methods=["PUT"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.takes(FhirAppointmentBody)
@blueprint.gives("Appointment", headers=documented_headers("ETag"))
@takes_version()
def put_appointment(body: Mapping[str, Any], visit_id: str) -> Response:
    """Report how the visit stands in the clinic's system; needs If-Match. Again is harmless.

    `pending` (a person has seen it), `booked` with a time, `arrived`, `fulfilled`, `noshow`, `cancelled`.
    Another move than the clinic's own is refused (409). Only status, start, end, the clinic's own identifier
    and a coded reason are read; one that names another of our patients instead, or visits, is refused (422).
    """
    version = required_version()
    if body.get("id") != visit_id:
        raise Invalid("/id", "Must be the id in the address.")
    with writing() as work:
        stored = one(work, visit_id)
        check_whose(work, stored, body)
        _report(work, stored, body, version)
        shown = appointment_of(one(work, visit_id))
    return answered(shown)


def _report(work: Work, stored: Proposed, body: Mapping[str, Any], version: int) -> None:
    seen = read_as(lambda: read_appointment(raw(body), was_booked=stored.starts_at is not None))
    if seen.status in _OVER and _status(stored.state) == "cancelled":
        is_read(work, stored)  # also where we ended it: their calendar follows ours
    elif seen.status is PeerStatus.BOOKED and seen.starts_at is not None:
        known = number_of(body) or stored.external_id or str(stored.id)
        made = inbox.Appointment(known, seen.starts_at, reschedule=True, ends_at=seen.ends_at)
        inbox.book(work, stored.id, version, made)
    elif seen.status is PeerStatus.DECLINED:
        inbox.decline(work, stored.id, version, seen.decline or DeclineCode.OTHER, None)
    elif seen.status in _REPORTS:
        _REPORTS[seen.status](work, stored.id, version)
    elif _status(stored.state) != seen.status.value:
        raise Conflict("illegal-move", "A visit does not go back to being proposed.")
    else:
        is_read(work, stored)


def _status(state: SuggestionState) -> str | None:
    """Return how a state is shown: what has no time yet is only proposed, also once a person has seen it."""
    said = APPOINTMENT_STATUS[state]
    return "proposed" if said == "pending" else said
