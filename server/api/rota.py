"""The rota: when the clinic is at work, who hears of an alert, who is on call, and the check ahead."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.base import PageQuery
from schemas.rota import CoverageAnswer, CoverageQuery, OnCallList, RotaAnswer, RotaBody
from schemas.shift import ShiftAnswer, ShiftBody, ShiftPage
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, reading, writing
from server.api.kept_answer import once
from server.api.paging import paged
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import Role
from server.services.alerts import rota as rotas
from server.services.alerts import shift as shifts
from server.services.alerts.shift import NewShift

blueprint = Blueprint("rota", __name__, description="Who hears of an alert, and when")
STAFF = (Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN)
PLANNERS = (Role.COORDINATOR, Role.CLINIC_ADMIN)


@blueprint.route("/rota", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, RotaAnswer, headers=documented_headers("ETag"))
def get_rota() -> Any:
    """Read working hours, holidays, steps and fallback, and whether monitoring is armed."""
    with reading() as work:
        rota = rotas.of(work)
        return rota, 200, etag(rota.version)


@blueprint.route("/rota", methods=["PUT"])
@allow(Role.CLINIC_ADMIN)
@blueprint.arguments(RotaBody)
@blueprint.response(200, RotaAnswer, headers=documented_headers("ETag"))
@takes_version()
def put_rota(body: Mapping[str, Any]) -> Any:
    """Replace working hours, holidays, steps and fallback; needs If-Match.

    Armed monitoring stays armed: look at the coverage afterwards.
    """
    version = required_version()
    with writing() as work:
        rota = rotas.change(work, body, version)
    return rota, 200, etag(rota.version)


@blueprint.route("/rota/arm", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(200, RotaAnswer, headers=documented_headers("ETag"))
def arm_rota() -> Any:
    """Arm the clinic's monitoring. Again is harmless.

    Refused (409 `coverage-gaps`) where in the next 14 days nobody reachable would hear of an urgent alert.
    """
    with writing() as work:
        rota = rotas.arm(work)
    return rota, 200, etag(rota.version)


@blueprint.route("/rota/disarm", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(200, RotaAnswer, headers=documented_headers("ETag"))
def disarm_rota() -> Any:
    """Disarm the clinic's monitoring: patients are told that nobody may be reading. Again is harmless."""
    with writing() as work:
        rota = rotas.disarm(work)
    return rota, 200, etag(rota.version)


@blueprint.route("/rota/coverage", methods=["GET"])
@allow(*STAFF)
@blueprint.arguments(CoverageQuery, location="query")
@blueprint.response(200, CoverageAnswer)
def get_coverage(query: Mapping[str, Any]) -> Any:
    """Look ahead: hours in which nobody reachable would hear of an urgent alert, and why."""
    with reading() as work:
        return {
            "armed": rotas.is_armed(work),
            "can_arm": not rotas.open_gaps(work),
            "gaps": rotas.gaps(work, query["days"]),
        }


@blueprint.route("/rota/on-call", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, OnCallList)
def get_on_call() -> Any:
    """Read who is on call now, and until when."""
    with reading() as work:
        return {"items": rotas.on_call_now(work)}


@blueprint.route("/rota/shifts", methods=["GET"])
@allow(*STAFF)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, ShiftPage)
def list_shifts(query: Mapping[str, Any]) -> Any:
    """Read the shifts that are not over, in the order they were added."""
    with reading() as work:
        return paged(query, lambda after, size: shifts.page(work, after, size))


@blueprint.route("/rota/shifts", methods=["POST"])
@allow(*PLANNERS)
@once()
@blueprint.arguments(ShiftBody)
@blueprint.response(201, ShiftAnswer)
def create_shift(body: Mapping[str, Any]) -> Any:
    """Put somebody on call, once or every week."""
    with writing() as work:
        return shifts.add(work, NewShift(**body))


@blueprint.route("/rota/shifts/<uuid:shift_id>", methods=["DELETE"])
@allow(*PLANNERS)
@blueprint.response(204)
def delete_shift(shift_id: UUID) -> Response:
    """Take a shift away, with every week it would come again. Look at the coverage afterwards."""
    with writing() as work:
        shifts.remove(work, shift_id)
    return Response(status=204)
