"""The inbox of the clinic's scheduling system: pull what was approved, report what became of it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from schemas.inbox import (
    AppointmentBody,
    DeclineBody,
    InboxAnswer,
    InboxHistoryAnswer,
    InboxPage,
    InboxQuery,
    TimeBody,
)
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, writing
from server.api.paging import paged
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import Role, Scope
from server.services.visits import inbox
from server.services.visits.inbox import Appointment
from server.services.visits.inbox_item import InboxItem
from server.services.work import Work

blueprint = Blueprint("inbox", __name__, description="For the scheduling system: no health data")
ONE = "/inbox/booking-suggestions/<uuid:suggestion_id>"


@blueprint.route("/inbox/booking-suggestions", methods=["GET"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.arguments(InboxQuery, location="query")
@blueprint.response(200, InboxPage)
def list_inbox(query: Mapping[str, Any]) -> Any:
    """Pull approved suggestions in the order they were made: the open ones unless `state` is given."""
    with writing() as work:
        return paged(query, lambda after, size: inbox.pull(work, query.get("state"), after, size))


@blueprint.route(ONE, methods=["GET"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.response(200, InboxAnswer, headers=documented_headers("ETag"))
def get_inbox_item(suggestion_id: UUID) -> Any:
    """Read one suggestion, also after it has ended (a withdrawal is learned here)."""
    with writing() as work:
        item = inbox.get(work, suggestion_id)
    return item, 200, etag(item.version)


@blueprint.route(f"{ONE}/history", methods=["GET"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.response(200, InboxHistoryAnswer)
def get_inbox_history(suggestion_id: UUID) -> Any:
    """Read what happened to one suggestion since it was approved, oldest first."""
    with writing() as work:
        return {"items": inbox.history(work, suggestion_id)}


@blueprint.route(f"{ONE}/acknowledge", methods=["POST"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.response(200, InboxAnswer, headers=documented_headers("ETag"))
@takes_version()
def acknowledge_inbox_item(suggestion_id: UUID) -> Any:
    """Report that a person has seen it; needs If-Match. Again is harmless."""
    return _reported(lambda work, version: inbox.acknowledge(work, suggestion_id, version))


@blueprint.route(f"{ONE}/propose-time", methods=["POST"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.arguments(TimeBody)
@blueprint.response(200, InboxAnswer, headers=documented_headers("ETag"))
@takes_version()
def propose_time_of_inbox_item(body: Mapping[str, Any], suggestion_id: UUID) -> Any:
    """Ask the patient about a time; needs If-Match. It books nothing.

    The answer shows in `patient_answer` and `preferred_times`. The same time again is harmless.
    """
    starts_at, ends_at = body["starts_at"], body.get("ends_at")
    return _reported(
        lambda work, version: inbox.propose_time(work, suggestion_id, version, starts_at, ends_at)
    )


@blueprint.route(f"{ONE}/book", methods=["POST"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.arguments(AppointmentBody)
@blueprint.response(200, InboxAnswer, headers=documented_headers("ETag"))
@takes_version()
def book_inbox_item(body: Mapping[str, Any], suggestion_id: UUID) -> Any:
    """Report the appointment; needs If-Match. The same appointment again changes nothing.

    The same `external_id` at another time moves the appointment; another id needs `reschedule`.
    """
    appointment = Appointment(**body)
    return _reported(lambda work, version: inbox.book(work, suggestion_id, version, appointment))


@blueprint.route(f"{ONE}/decline", methods=["POST"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.arguments(DeclineBody)
@blueprint.response(200, InboxAnswer, headers=documented_headers("ETag"))
@takes_version()
def decline_inbox_item(body: Mapping[str, Any], suggestion_id: UUID) -> Any:
    """Report that the clinic won't book it, and why; needs If-Match."""
    code, note = body["code"], body.get("note")
    return _reported(lambda work, version: inbox.decline(work, suggestion_id, version, code, note))


@blueprint.route(f"{ONE}/cancel", methods=["POST"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.response(200, InboxAnswer, headers=documented_headers("ETag"))
@takes_version()
def cancel_inbox_item(suggestion_id: UUID) -> Any:
    """Report that the booked visit was cancelled; needs If-Match."""
    return _reported(lambda work, version: inbox.cancel(work, suggestion_id, version))


@blueprint.route(f"{ONE}/arrive", methods=["POST"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.response(200, InboxAnswer, headers=documented_headers("ETag"))
@takes_version()
def report_arrival(suggestion_id: UUID) -> Any:
    """Report that the patient is there; needs If-Match."""
    return _reported(lambda work, version: inbox.arrive(work, suggestion_id, version))


@blueprint.route(f"{ONE}/noshow", methods=["POST"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.response(200, InboxAnswer, headers=documented_headers("ETag"))
@takes_version()
def report_noshow(suggestion_id: UUID) -> Any:
    """Report that the patient did not come; needs If-Match."""
    return _reported(lambda work, version: inbox.noshow(work, suggestion_id, version))


@blueprint.route(f"{ONE}/complete", methods=["POST"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@blueprint.response(200, InboxAnswer, headers=documented_headers("ETag"))
@takes_version()
def complete_inbox_item(suggestion_id: UUID) -> Any:
    """Report that the visit took place; needs If-Match. The care team records what was given."""
    return _reported(lambda work, version: inbox.fulfil(work, suggestion_id, version))


def _reported(report: Callable[[Work, int], InboxItem]) -> Any:
    version = required_version()
    with writing() as work:
        item = report(work, version)
    return item, 200, etag(item.version)
