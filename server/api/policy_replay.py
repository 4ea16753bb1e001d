"""Trying a draft policy on the clinic's own past."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.policy_replay import (
    ReplayAnswer,
    ReplayBody,
    ReplayedPatientPage,
    ReplayPage,
    ReplayQuery,
)
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, reading, writing
from server.api.kept_answer import once
from server.api.paging import paged
from server.api.sharing import shares
from server.clinical.vocabulary import Purpose, Role
from server.services.watch import policy_replay as policy_replays
from server.services.watch.policy_replay import Wanted

blueprint = Blueprint("policy-replays", __name__, description="Draft policies tried on the past")
PATH = "/clinic/policy-replays"
WHO = (Role.CLINICIAN, Role.CLINIC_ADMIN)


@blueprint.route(PATH, methods=["POST"])
@allow(*WHO)
@once()
@blueprint.arguments(ReplayBody)
@blueprint.response(202, ReplayAnswer, headers=documented_headers("Location"))
def create_policy_replay(body: Mapping[str, Any]) -> Any:
    """Ask for a replay. It is worked on in the background; look at `done` of `total` meanwhile.

    One replay of a clinic runs at a time, others wait.
    """
    wanted = Wanted(body.get("values"), body.get("version"), body.get("first"), body.get("last"))
    with writing() as work:
        row = policy_replays.create(work, wanted)
    return row, 202, {"Location": f"/v1{PATH}/{row.id}"}


@blueprint.route(PATH, methods=["GET"])
@allow(*WHO)
@blueprint.arguments(ReplayQuery, location="query")
@blueprint.response(200, ReplayPage)
def list_policy_replays(query: Mapping[str, Any]) -> Any:
    """Read the replays, newest first."""
    with reading() as work:
        return paged(query, lambda before, size: policy_replays.page(work, before, size))


@blueprint.route(f"{PATH}/<uuid:replay_id>", methods=["GET"])
@allow(*WHO)
@blueprint.response(200, ReplayAnswer)
def get_policy_replay(replay_id: UUID) -> Any:
    """Read one replay: how far it is, and the figures of both policies once it is done. Audited."""
    with writing() as work:
        return policy_replays.get(work, replay_id)


@blueprint.route(f"{PATH}/<uuid:replay_id>/patients", methods=["GET"])
@allow(Role.CLINICIAN)
@shares(Purpose.CARE_TEAM)
@blueprint.arguments(ReplayQuery, location="query")
@blueprint.response(200, ReplayedPatientPage)
def list_replayed_patients(query: Mapping[str, Any], replay_id: UUID) -> Any:
    """Read the patients who would have been alarmed on other days. Audited for each of them.

    For clinicians alone: on which day somebody got worse is read from their diary.
    """

    def rows(after: UUID | None, size: int) -> Any:
        return policy_replays.differences(work, replay_id, after, size)

    with writing() as work:
        page = paged(query, rows, lambda row: row.patient_id)
        return page | {"items": [_told(row) for row in page["items"]]}


@blueprint.route(f"{PATH}/<uuid:replay_id>", methods=["DELETE"])
@allow(*WHO)
@blueprint.response(204)
def cancel_policy_replay(replay_id: UUID) -> Response:
    """Cancel a replay that waits or runs. Again is harmless; one that has ended is refused (409)."""
    with writing() as work:
        policy_replays.cancel(work, replay_id)
    return Response(status=204)


def _told(row: Any) -> dict[str, Any]:
    arms = [
        {
            "arm": arm,
            "current_alarms": len(current["alarms"]),
            "draft_alarms": len(draft["alarms"]),
            "current_first": next(iter(current["alarms"]), None),
            "draft_first": next(iter(draft["alarms"]), None),
        }
        for arm, (current, draft) in row.found["arms"].items()
    ]
    return {"patient_id": row.patient_id, "arms": arms}
