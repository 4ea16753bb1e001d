"""The queue of what a person has to look at between us and a scheduling system."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.review_task import ReviewTaskAnswer, ReviewTaskPage, ReviewTaskQuery, SettlingBody
from server.api.body import Blueprint
from server.api.edge import allow, writing
from server.api.paging import paged
from server.clinical.vocabulary import Role
from server.services.visits import review_task as review_tasks

blueprint = Blueprint("review-tasks", __name__, description="Where two systems do not agree on a visit")
CARE = (Role.CLINICIAN, Role.COORDINATOR)


@blueprint.route("/review-tasks", methods=["GET"])
@allow(*CARE)
@blueprint.arguments(ReviewTaskQuery, location="query")
@blueprint.response(200, ReviewTaskPage)
def list_review_tasks(query: Mapping[str, Any]) -> Any:
    """Read what waits for a look, oldest first; with `settled` what was done about the others. Audited."""
    with writing() as work:
        work.audit("review-task.list")
        return paged(query, lambda after, size: review_tasks.page(work, query["settled"], after, size))


@blueprint.route("/review-tasks/<uuid:task_id>/settle", methods=["POST"])
@allow(*CARE)
@blueprint.arguments(SettlingBody)
@blueprint.response(200, ReviewTaskAnswer)
def settle_review_task(body: Mapping[str, Any], task_id: UUID) -> Any:
    """Say what was done about it; the same again is harmless. No suggestion changes by it."""
    with writing() as work:
        return review_tasks.settle(work, task_id, body["note"])
