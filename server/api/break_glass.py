"""Break-glass: an administrator reads one patient's record in an emergency."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.base import PageQuery
from schemas.break_glass import BreakGlassAnswer, BreakGlassBody, BreakGlassPage
from server.api.body import Blueprint
from server.api.edge import allow, stepped_up, writing
from server.api.kept_answer import once
from server.api.paging import paged
from server.clinical.vocabulary import Role
from server.services.people import break_glass

blueprint = Blueprint("break-glass", __name__, description="Reading a record in an emergency")


@blueprint.route("/patients/<uuid:patient_id>/break-glass", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@stepped_up
@once()
@blueprint.arguments(BreakGlassBody)
@blueprint.response(201, BreakGlassAnswer)
def break_the_glass(body: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read what the care team may read of one patient, for an hour. Needs a reason; others are told at once.

    Nothing can be changed that way. Every administrator and the patient's clinician get a message.
    """
    with writing() as work:
        return break_glass.open_record(work, patient_id, body["reason"])


@blueprint.route("/clinic/break-glass", methods=["GET"])
@allow(Role.CLINIC_ADMIN)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, BreakGlassPage)
def list_broken_glass(query: Mapping[str, Any]) -> Any:
    """Read who opened whose record, why and when, oldest first. Audited."""
    with writing() as work:
        work.audit("break-glass.list")
        return paged(query, lambda after, size: break_glass.page(work, after, size))
