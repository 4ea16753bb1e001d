"""Filled validated scales."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.questionnaire_response import (
    ClinicalQuestionnaireResponsePage,
    ClinicalQuestionnaireResponseReceipt,
    QuestionnaireResponseAnswer,
    QuestionnaireResponseBody,
    QuestionnaireResponsePage,
    QuestionnaireResponseQuery,
    QuestionnaireResponseReceipt,
    QuestionnaireResponseRevisionPage,
)
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, here, writing
from server.api.entry import READERS, own_patient
from server.api.heeding import heeds
from server.api.own_reading import reading_own
from server.api.paging import paged
from server.api.phone_clock import sent_at, takes_clock
from server.api.sharing import shares
from server.api.spoken import language_of
from server.api.version_header import etag, if_match, required_version, takes_version
from server.clinical.vocabulary import Purpose, Role, Source
from server.services.journal.incoming import Incoming
from server.services.journal.unreadable import Kind
from server.services.people import consent as consents
from server.services.people import notice as notices
from server.services.people import patient as patients
from server.services.scales import questionnaire_response as questionnaires
from server.services.scales.questionnaire_journal import ResponseReceipt
from server.services.scales.questionnaire_response import ResponseRange
from server.services.work import Work

blueprint = Blueprint("questionnaire-responses", __name__, description="Filled validated scales")


@blueprint.route("/questionnaire-responses/<uuid7:response_id>", methods=["PUT"])
@allow(Role.PATIENT)
@heeds(Kind.QUESTIONNAIRE_RESPONSE)
@blueprint.arguments(QuestionnaireResponseBody)
@blueprint.response(200, QuestionnaireResponseReceipt, headers=documented_headers("ETag"))
@blueprint.alt_response(201, schema=QuestionnaireResponseReceipt, description="Stored for the first time")
@takes_version(required=False)
@takes_clock
def put_questionnaire_response(body: Mapping[str, Any], response_id: UUID) -> Any:
    """Store one filled scale; sending it again changes nothing.

    The phone makes the id (UUIDv7). The same id with other content is a correction and needs
    If-Match with the version it changes. A scale about substance use does not become another one by it, nor
    the other way round (422): take it back, and send the other under a new id.
    """
    return _put(own_patient(), Incoming(response_id, body, if_match(), sent_at=sent_at()))


@blueprint.route("/patients/<uuid:patient_id>/questionnaire-responses/<uuid7:response_id>", methods=["PUT"])
@allow(Role.CLINICIAN)
@shares(Purpose.CARE_TEAM)
@heeds(Kind.QUESTIONNAIRE_RESPONSE)
@blueprint.arguments(QuestionnaireResponseBody)
@blueprint.response(200, ClinicalQuestionnaireResponseReceipt, headers=documented_headers("ETag"))
@blueprint.alt_response(
    201, schema=ClinicalQuestionnaireResponseReceipt, description="Stored for the first time"
)
@takes_version(required=False)
def put_patient_questionnaire_response(body: Mapping[str, Any], patient_id: UUID, response_id: UUID) -> Any:
    """Store a scale that you rated or that the patient filled on paper.

    One that the patient sent can't be changed while the care team may not read it. What you rated does not
    become what the patient filled, nor the other way round: take it back, and store the other under a new id.
    So, too, where it is somebody else's: of what you correct the patient goes on reading every version, of
    what you take back none, and nothing comes back under its id (409 `taken-back`).
    """
    with writing() as work:
        questionnaires.check_readable(work, patient_id, response_id)
    return _put(patient_id, Incoming(response_id, body, if_match(), Source.CLINIC))


@blueprint.route("/questionnaire-responses/<uuid7:response_id>", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.response(200, QuestionnaireResponseAnswer, headers=documented_headers("ETag"))
def get_questionnaire_response(response_id: UUID) -> Any:
    """Read one of your own responses; what a clinician rated is not found."""
    with reading_own("questionnaire_response.read") as work:
        response = questionnaires.get(work, own_patient(), response_id)
        return response, 200, etag(response.version)


@blueprint.route("/questionnaire-responses/<uuid7:response_id>", methods=["DELETE"])
@allow(Role.PATIENT)
@blueprint.response(204)
@takes_version()
def delete_questionnaire_response(response_id: UUID) -> Response:
    """Take one of your own responses back; needs If-Match. Its versions stay on record."""
    version = required_version()
    with writing() as work:
        questionnaires.delete(work, own_patient(), response_id, version)
    return Response(status=204)


@blueprint.route(
    "/patients/<uuid:patient_id>/questionnaire-responses/<uuid7:response_id>", methods=["DELETE"]
)
@allow(Role.CLINICIAN)
@blueprint.response(204)
@takes_version()
def delete_patient_questionnaire_response(patient_id: UUID, response_id: UUID) -> Response:
    """Take back a scale that the clinic stored by mistake; needs If-Match. Its versions stay on record.

    The patient reads them no more: they may be somebody else's. What it raised stays for a person to close,
    and says that the answer was taken back. Of the patient's own nothing is taken back here.
    """
    version = required_version()
    with writing() as work:
        questionnaires.check_readable(work, patient_id, response_id)
        questionnaires.delete(work, patient_id, response_id, version, Source.CLINIC)
    return Response(status=204)


@blueprint.route("/questionnaire-responses/<uuid7:response_id>/revisions", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.response(200, QuestionnaireResponseRevisionPage)
def get_questionnaire_response_revisions(response_id: UUID) -> Any:
    """Read every version one of your responses ever had; none of what the clinic rated or took back."""
    with reading_own("questionnaire_response.revisions") as work:
        found = questionnaires.own_revisions(work, own_patient(), response_id)
        return {"items": found, "next_cursor": None}


@blueprint.route("/questionnaire-responses", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.arguments(QuestionnaireResponseQuery, location="query")
@blueprint.response(200, QuestionnaireResponsePage)
def list_questionnaire_responses(query: Mapping[str, Any]) -> Any:
    """Read your own responses of a range of days, a page at a time; none that a clinician rated."""
    with reading_own("questionnaire_response.list") as work:
        return _page(work, own_patient(), query)


@blueprint.route("/patients/<uuid:patient_id>/questionnaire-responses", methods=["GET"])
@allow(*READERS)
@shares(Purpose.CARE_TEAM)
@blueprint.arguments(QuestionnaireResponseQuery, location="query")
@blueprint.response(200, ClinicalQuestionnaireResponsePage)
def list_patient_questionnaire_responses(query: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read a patient's responses of a range of days with their scores, a page at a time. Audited."""
    with writing() as work:
        patients.get(work, patient_id)
        consents.require(work, patient_id, Purpose.CARE_TEAM)
        work.audit("questionnaire_response.list", patient_id)
        return _page(work, patient_id, query)


def _put(patient_id: UUID, incoming: Incoming) -> Any:
    with writing() as work:
        receipt = questionnaires.put(work, patient_id, incoming)
        answer = _receipt(work, receipt)
    return answer, 201 if receipt.outcome == "created" else 200, etag(receipt.response.version)


def _page(work: Any, patient_id: UUID, query: Mapping[str, Any]) -> dict[str, Any]:
    def rows(after: UUID | None, size: int) -> Any:
        days = query.get("first"), query.get("last")
        wanted = ResponseRange(*days, query.get("instrument"), after, size)
        return questionnaires.page(work, patient_id, wanted)

    return paged(query, rows)


def _receipt(work: Work, receipt: ResponseReceipt) -> dict[str, Any]:
    lines = here().crisis_lines.near(receipt.patient.country, receipt.patient.zone)
    language = language_of(work)
    return {
        "outcome": receipt.outcome,
        "questionnaire_response": receipt.response,
        "notice": notices.for_patient(receipt.flags, lines, language, receipt.contact_today),
        "who_reads_this": notices.who_reads(work, receipt.patient, language),
    }
