"""The patient's diary."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response

from schemas.entry import (
    EntryBody,
    EntryPage,
    EntryQuery,
    EntryReceipt,
    EntryRevisionPage,
    OwnEntryAnswer,
    OwnEntryPage,
)
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import actor, allow, here, writing
from server.api.entry_text import own_page, team_page
from server.api.heeding import heeds
from server.api.own_reading import reading_own
from server.api.paging import paged
from server.api.phone_clock import sent_at, takes_clock
from server.api.shapes import joined
from server.api.sharing import shares
from server.api.spoken import language_of
from server.api.version_header import etag, if_match, required_version, takes_version
from server.clinical.vocabulary import Purpose, Role
from server.services.journal import entry as entries
from server.services.journal import entry_page as entry_pages
from server.services.journal import team_view as team_views
from server.services.journal.entry_page import Range
from server.services.journal.incoming import Incoming
from server.services.journal.journal import Receipt
from server.services.journal.unreadable import Kind
from server.services.people import consent as consents
from server.services.people import notice as notices
from server.services.people import patient as patients
from server.services.work import Work

blueprint = Blueprint(
    "entries", __name__, description="What the patient reports, several times a day if wanted"
)
READERS = (Role.CLINICIAN, Role.COORDINATOR)


@blueprint.route("/entries/<uuid7:entry_id>", methods=["PUT"])
@allow(Role.PATIENT)
@heeds(Kind.ENTRY)
@blueprint.arguments(EntryBody)
@blueprint.response(200, EntryReceipt, headers=documented_headers("ETag"))
@blueprint.alt_response(201, schema=EntryReceipt, description="Stored for the first time")
@takes_version(required=False)
@takes_clock
def put_entry(body: Mapping[str, Any], entry_id: UUID) -> Any:
    """Store one entry; sending it again changes nothing.

    The phone makes the id (UUIDv7). The same id with other content is a correction and needs
    If-Match with the version it changes.
    """
    with writing() as work:
        receipt = entries.put(work, own_patient(), Incoming(entry_id, body, if_match(), sent_at=sent_at()))
        answer = _receipt(work, receipt)
    return answer, 201 if receipt.outcome == "created" else 200, etag(receipt.entry.version)


@blueprint.route("/entries/<uuid7:entry_id>", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.response(200, OwnEntryAnswer, headers=documented_headers("ETag"))
def get_entry(entry_id: UUID) -> Any:
    """Read one of your own entries."""
    with reading_own("entry.read") as work:
        entry = entries.get(work, own_patient(), entry_id)
        seen = team_views.first_seen(work, own_patient(), [entry])
        return own_entry(entry, seen), 200, etag(entry.version)


@blueprint.route("/entries/<uuid7:entry_id>", methods=["DELETE"])
@allow(Role.PATIENT)
@blueprint.response(204)
@takes_version()
def delete_entry(entry_id: UUID) -> Response:
    """Take one of your own entries back; needs If-Match. Its versions stay on record."""
    version = required_version()
    with writing() as work:
        entries.delete(work, own_patient(), entry_id, version)
    return Response(status=204)


@blueprint.route("/entries/<uuid7:entry_id>/revisions", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.response(200, EntryRevisionPage)
def get_entry_revisions(entry_id: UUID) -> Any:
    """Read every version one of your entries ever had."""
    with reading_own("entry.revisions") as work:
        return {"items": entries.revisions(work, own_patient(), entry_id), "next_cursor": None}


@blueprint.route("/entries", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.arguments(EntryQuery, location="query")
@blueprint.response(200, OwnEntryPage)
def list_entries(query: Mapping[str, Any]) -> Any:
    """Read your own entries of a range of days, a page at a time."""
    with reading_own("entry.list") as work:
        page = _page(work, own_patient(), query)
        return own_page(page, team_views.first_seen(work, own_patient(), page["items"]))


@blueprint.route("/patients/<uuid:patient_id>/entries", methods=["GET"])
@allow(*READERS)
@shares(Purpose.CARE_TEAM)
@blueprint.arguments(EntryQuery, location="query")
@blueprint.response(200, EntryPage)
def list_patient_entries(query: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read a patient's entries of a range of days, a page at a time. Audited."""

    with writing() as work:
        patients.get(work, patient_id)
        consents.require(work, patient_id, Purpose.CARE_TEAM)
        work.audit("entry.list", patient_id)
        return team_page(_page(work, patient_id, query))


def own_patient() -> UUID:
    """Return the id of the patient who is signed in."""
    found = actor().patient_id
    assert found is not None, "a patient's account names its patient"
    return found


def own_entry(entry: Any, seen: Mapping[UUID, datetime]) -> dict[str, Any]:
    """Return ``entry`` with when the care team first saw it."""
    return joined(entry, OwnEntryAnswer, seen_by_team_at=seen.get(entry.id))


def _page(work: Any, patient_id: UUID, query: Mapping[str, Any]) -> dict[str, Any]:
    def rows(after: UUID | None, size: int) -> Any:
        return entry_pages.page(work, patient_id, Range(query.get("first"), query.get("last"), after, size))

    return paged(query, rows)


def _receipt(work: Work, receipt: Receipt) -> dict[str, Any]:
    lines = here().crisis_lines.near(receipt.patient.country, receipt.patient.zone)
    language = language_of(work)
    return {
        "outcome": receipt.outcome,
        "entry": receipt.entry,
        "notice": notices.for_patient(receipt.flags, lines, language),
        "who_reads_this": notices.who_reads(work, receipt.patient, language),
    }
