"""The patient's visits: what is offered, asked or booked, and what they say to it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.offered_visit import OfferedVisitAnswer, OfferedVisitsAnswer, VisitAnswerBody
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, reading, writing
from server.api.entry import own_patient
from server.api.spoken import language_of
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import Role
from server.services.visits import offered_visit as offered_visits
from server.services.visits.offered_visit import Said

blueprint = Blueprint("visits", __name__, description="The patient's visits, in neutral words")


@blueprint.route("/visits", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.response(200, OfferedVisitsAnswer)
def list_visits() -> Any:
    """Read what your clinic offers, asks or has booked, and what ended lately."""
    with reading() as work:
        return {"items": offered_visits.listed(work, own_patient(), language_of(work))}


@blueprint.route("/visits/<uuid:visit_id>", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.response(200, OfferedVisitAnswer, headers=documented_headers("ETag"))
def get_visit(visit_id: UUID) -> Any:
    """Read one visit."""
    with reading() as work:
        visit = offered_visits.get(work, own_patient(), visit_id, language_of(work))
    return visit, 200, etag(visit.version)


@blueprint.route("/visits/<uuid:visit_id>/answer", methods=["POST"])
@allow(Role.PATIENT)
@blueprint.arguments(VisitAnswerBody)
@blueprint.response(200, OfferedVisitAnswer, headers=documented_headers("ETag"))
@takes_version()
def answer_visit(body: Mapping[str, Any], visit_id: UUID) -> Any:
    """Say whether it suits you, and when you would rather come; needs If-Match. Again is harmless.

    Your clinic reads it and decides; an appointment stays until your clinic changes it.
    """
    version = required_version()
    preferred = [(span["starts_at"], span["ends_at"]) for span in body["preferred_times"]]
    with writing() as work:
        said = Said(body["answer"], preferred)
        visit = offered_visits.answer(work, visit_id, version, said, language_of(work))
    return visit, 200, etag(visit.version)
