"""How an approved suggestion stands in the clinic's scheduling system."""

from typing import Any
from uuid import UUID

from schemas.scheduling_copy import SchedulingCopyAnswer
from server.api.body import Blueprint
from server.api.edge import allow, writing
from server.clinical.vocabulary import Role
from server.services.visits import scheduling_copy as scheduling_copies

blueprint = Blueprint("scheduling-copies", __name__, description="A suggestion in the clinic's own system")
CARE = (Role.CLINICIAN, Role.COORDINATOR)
ONE = "/booking-suggestions/<uuid:suggestion_id>/copy"


@blueprint.route(ONE, methods=["GET"])
@allow(*CARE)
@blueprint.response(200, SchedulingCopyAnswer)
def get_scheduling_copy(suggestion_id: UUID) -> Any:
    """Read what the clinic's system has of it, and what went wrong on the way. Audited."""
    with writing() as work:
        return scheduling_copies.read(work, suggestion_id)


@blueprint.route(f"{ONE}/retry", methods=["POST"])
@allow(*CARE)
@blueprint.response(200, SchedulingCopyAnswer)
def retry_scheduling_copy(suggestion_id: UUID) -> Any:
    """Tell or ask the system at once, also where we had stopped trying. Again is harmless."""
    with writing() as work:
        return scheduling_copies.try_again(work, suggestion_id)
