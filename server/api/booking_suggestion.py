"""Booking suggestions for the care team: read, approve, change, dismiss."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.booking_suggestion import (
    ApprovalBody,
    ChangeBody,
    DismissalBody,
    SuggestionAnswer,
    SuggestionDetail,
    SuggestionEventAnswer,
    SuggestionPage,
    SuggestionQuery,
)
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, writing
from server.api.paging import paged
from server.api.shapes import joined
from server.api.sharing import shares
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import Purpose, Role
from server.services.people import patient as patients
from server.services.visits import booking_suggestion as booking_suggestions
from server.services.visits import suggestion_change as suggestion_changes
from server.services.visits.booking_suggestion import Wanted
from server.services.visits.suggestion_change import Change

blueprint = Blueprint(
    "booking-suggestions", __name__, description="Suggested visits: a clinician decides, the clinic books"
)
CARE = (Role.CLINICIAN, Role.COORDINATOR)
# What a visit says of the diary: left out where the patient does not let the care team read it.
_WITHHELD: Mapping[str, Any] = {
    "blocks": (),
    "responded": None,
    "days_gained": None,
    "gained_at_least": None,
}


@blueprint.route("/booking-suggestions", methods=["GET"])
@allow(*CARE)
@shares(Purpose.CARE_TEAM)
@blueprint.arguments(SuggestionQuery, location="query")
@blueprint.response(200, SuggestionPage)
def list_booking_suggestions(query: Mapping[str, Any]) -> Any:
    """Read suggestions in the order they were made. Audited.

    `blocked=true` reads the drafts that guards hold back: each is a review for a clinician.
    """

    def rows(after: UUID | None, size: int) -> Any:
        wanted = Wanted(query.get("state"), query.get("patient_id"), query.get("blocked"))
        return booking_suggestions.page(work, wanted, after, size)

    with writing() as work:
        work.audit("booking-suggestion.list", query.get("patient_id"))
        page = paged(query, rows)
        hidden = patients.withdrawn_of(work, [row.patient_id for row in page["items"]])
        return page | {"items": [_shown(row, row.patient_id in hidden) for row in page["items"]]}


@blueprint.route("/booking-suggestions/<uuid:suggestion_id>", methods=["GET"])
@allow(*CARE)
@shares(Purpose.CARE_TEAM)
@blueprint.response(200, SuggestionDetail, headers=documented_headers("ETag"))
def get_booking_suggestion(suggestion_id: UUID) -> Any:
    """Read one suggestion: window, reason, guards that speak against it, and its log. Audited."""
    with writing() as work:
        record = booking_suggestions.record(work, suggestion_id)
        found = record.suggestion
        is_hidden = bool(patients.withdrawn_of(work, [found.patient_id]))
        bare: dict[str, Any] = {"detail": {}} if is_hidden else {}
        moves = [
            joined(event, SuggestionEventAnswer, account=record.names.get(event.account_id), **bare)
            for event in record.events
        ]
        more = _WITHHELD if is_hidden else {}
        shown = joined(found, SuggestionDetail, events=moves, slots=record.slots, **more)
        return shown, 200, etag(record.suggestion.version)


@blueprint.route("/booking-suggestions/<uuid:suggestion_id>/approve", methods=["POST"])
@allow(Role.CLINICIAN)
@blueprint.arguments(ApprovalBody)
@blueprint.response(200, SuggestionAnswer, headers=documented_headers("ETag"))
@takes_version()
def approve_booking_suggestion(body: Mapping[str, Any], suggestion_id: UUID) -> Any:
    """Let the clinic's scheduling system have it; needs If-Match.

    The guards are asked again now. Where one speaks against the visit, `override_reason` is needed;
    without it the answer is 409 `blocked` with the suggestion as it stands. While an urgent safety alert is
    open no reason will do: 409 `safety-first`. Assess the patient and close the alert.
    """
    version = required_version()
    with writing() as work:
        suggestion = booking_suggestions.approve(work, suggestion_id, version, body.get("override_reason"))
    return suggestion, 200, etag(suggestion.version)


@blueprint.route("/booking-suggestions/<uuid:suggestion_id>/change", methods=["POST"])
@allow(Role.CLINICIAN)
@blueprint.arguments(ChangeBody)
@blueprint.response(200, SuggestionAnswer, headers=documented_headers("ETag"))
@takes_version()
def change_booking_suggestion(body: Mapping[str, Any], suggestion_id: UUID) -> Any:
    """Change window, urgency or length before it is booked; needs If-Match.

    Guards are asked when a draft is approved; of one that was approved before they are asked here, with the
    same answers as there.
    """
    version = required_version()
    with writing() as work:
        suggestion = suggestion_changes.change(work, suggestion_id, version, Change(**body))
    return suggestion, 200, etag(suggestion.version)


@blueprint.route("/booking-suggestions/<uuid:suggestion_id>/dismiss", methods=["POST"])
@allow(Role.CLINICIAN)
@blueprint.arguments(DismissalBody)
@blueprint.response(200, SuggestionAnswer, headers=documented_headers("ETag"))
@takes_version()
def dismiss_booking_suggestion(body: Mapping[str, Any], suggestion_id: UUID) -> Any:
    """Withdraw it with a reason; needs If-Match. The alert behind it stays open."""
    version = required_version()
    with writing() as work:
        suggestion = booking_suggestions.dismiss(work, suggestion_id, version, body["reason"])
    return suggestion, 200, etag(suggestion.version)


def _shown(suggestion: Any, is_hidden: bool) -> Any:
    return joined(suggestion, SuggestionAnswer, **_WITHHELD) if is_hidden else suggestion
