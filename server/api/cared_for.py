"""What a caregiver may call, and nothing else: whom they look after, an entry for them, what they read."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response

from schemas.caregiver import CaredForList, CaredForReceipt, CaredForTimeline, JoiningBody
from schemas.entry import EntryBody
from schemas.timeline import TimelineQuery
from schemas.trend import TrendAnswer, TrendQuery
from server.api.body import Blueprint
from server.api.edge import allow, here, reading, writing
from server.api.heeding import heeds
from server.api.paging import paged
from server.api.phone_clock import sent_at, takes_clock
from server.api.sharing import cares_for
from server.api.spoken import language_of
from server.api.timeline import told
from server.clinical.vocabulary import CareScope, EnteredBy, Role
from server.services.journal import cared_entry
from server.services.journal import cared_for as views
from server.services.journal.cared_for import SharedDay
from server.services.journal.incoming import Incoming
from server.services.journal.unreadable import Kind
from server.services.people import caregiver as caregivers
from server.services.people import caregiver_invitation as caregiver_invitations
from server.services.people import invitation as invitations
from server.services.people import notice as notices

blueprint = Blueprint("cared for", __name__, description="Caregivers: the patients they look after")
ONE = "/cared-for/<uuid:patient_id>"


@blueprint.route("/cared-for", methods=["GET"])
@allow(Role.CAREGIVER)
@blueprint.response(200, CaredForList)
def list_cared_for() -> Any:
    """Read whom you look after, and what you may do for them."""
    with reading() as work:
        return {"items": caregivers.cared_for(work)}


@blueprint.route("/cared-for", methods=["POST"])
@allow(Role.CAREGIVER)
@blueprint.arguments(JoiningBody)
@blueprint.response(200, CaredForList)
def join_patient(body: Mapping[str, Any]) -> Any:
    """Look after one more patient of this clinic, with the code from your e-mail and their word (`proof`).

    401 `does-not-fit`: code or word is wrong, or not good any more. You stay signed in; do not repeat it.
    """
    with writing() as work:
        joined = caregiver_invitations.join(work, body["code"], body["proof"])
        found = caregivers.cared_for(work)
    if joined is None:
        raise invitations.refused()  # after the try was counted
    return {"items": found}


@blueprint.route(ONE, methods=["DELETE"])
@allow(Role.CAREGIVER)
@blueprint.response(204)
def leave_patient(patient_id: UUID) -> Response:
    """Look after a patient no more. With the last one your account goes."""
    with writing() as work:
        caregivers.leave(work, patient_id)
    return Response(status=204)


@blueprint.route(f"{ONE}/entries/<uuid7:entry_id>", methods=["PUT"])
@allow(Role.CAREGIVER)
@cares_for(CareScope.LOG)
@heeds(Kind.ENTRY)
@blueprint.arguments(EntryBody)
@blueprint.response(200, CaredForReceipt)
@blueprint.alt_response(201, schema=CaredForReceipt, description="Stored for the first time")
@takes_clock
def put_entry_for(body: Mapping[str, Any], patient_id: UUID, entry_id: UUID) -> Any:
    """Make an entry for the patient; it is marked as yours. Sending it again changes nothing.

    What is there already can't be changed here: 409.
    """
    with writing() as work:
        content = {**body, "entered_by": EnteredBy.CAREGIVER}
        receipt = cared_entry.make(work, patient_id, Incoming(entry_id, content, sent_at=sent_at()))
        patient, language = receipt.patient, language_of(work)
        lines = here().crisis_lines.near(patient.country, patient.zone)
        answer = {
            "outcome": receipt.outcome,
            "entry_id": entry_id,
            "notice": notices.for_patient(receipt.flags, lines, language),
            "who_reads_this": notices.who_reads(work, patient, language),
        }
    return answer, 201 if receipt.outcome == "created" else 200


@blueprint.route(f"{ONE}/trend", methods=["GET"])
@allow(Role.CAREGIVER)
@cares_for(CareScope.READ_TREND)
@blueprint.arguments(TrendQuery, location="query")
@blueprint.response(200, TrendAnswer)
def get_trend_for(query: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read the patient's trend, day by day. Audited, and told to the patient."""
    with writing() as work:
        return views.trend(work, patient_id, query.get("first"), query.get("last"))


@blueprint.route(f"{ONE}/timeline", methods=["GET"])
@allow(Role.CAREGIVER)
@cares_for(CareScope.READ_JOURNAL)
@blueprint.arguments(TimelineQuery, location="query")
@blueprint.response(200, CaredForTimeline)
def get_timeline_for(query: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read the patient's days, newest first, without notes and tags. Audited, and told to the patient."""
    with writing() as work:

        def days(before: date | None, size: int) -> Sequence[SharedDay]:
            return views.days(work, patient_id, before, size)

        page = paged(query, days, lambda day: day.day.isoformat())
        return page | {"items": [_shown(day) for day in page["items"]]}


def _shown(day: SharedDay) -> dict[str, Any]:
    return {
        "day": day.day,
        "entries": day.entries,
        "questionnaire_responses": [told(one) for one in day.questionnaire_responses],
        "treatment_sessions": day.treatment_sessions,
    }
