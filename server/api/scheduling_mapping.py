"""What the clinic's scheduling system calls our patients, clinicians, kinds of visit and rooms."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.scheduling_connection import MappingAnswer, MappingBody, MappingPage, TextPageQuery
from server.api.body import Blueprint
from server.api.edge import allow, writing
from server.api.paging import paged
from server.clinical.vocabulary import Role
from server.services.visits import copy_release as copy_releases
from server.services.visits import scheduling_mapping as mappings

blueprint = Blueprint("scheduling-mappings", __name__, description="Our things under the clinic's own names")
ALL = "/clinic/scheduling-connections/<uuid:connection_id>/mappings"
ONE = f"{ALL}/<string:kind>/<string:ours>"
PLANNERS = (Role.CLINIC_ADMIN, Role.COORDINATOR)


@blueprint.route(ALL, methods=["GET"])
@allow(*PLANNERS)
@blueprint.arguments(TextPageQuery, location="query")
@blueprint.response(200, MappingPage)
def list_scheduling_mappings(query: Mapping[str, Any], connection_id: UUID) -> Any:
    """Read the lines in the order of kind and our own name. Audited: some name patients."""
    with writing() as work:
        work.audit("scheduling-mapping.list", object_id=connection_id)

        def rows(after: str | None, size: int) -> Any:
            return mappings.listed(work, connection_id, after, size)

        return paged(query, rows, lambda row: f"{row.kind}:{row.ours}")


@blueprint.route(ONE, methods=["PUT"])
@allow(*PLANNERS)
@blueprint.arguments(MappingBody)
@blueprint.response(200, MappingAnswer)
def put_scheduling_mapping(body: Mapping[str, Any], connection_id: UUID, kind: str, ours: str) -> Any:
    """Say what its system calls one thing of ours; again replaces it.

    `kind` patient and provider: `ours` is an id; appointment_type and room: `maintenance_visit`, or `*`.
    `*` as a provider stands for every clinician without a line. What was set aside is tried again: that of
    the patient, or all of it.
    """
    with writing() as work:
        named = mappings.checked(work, kind, ours)
        row = mappings.put(work, connection_id, named, body["theirs"])
        copy_releases.release(work, connection_id, named.patient_id)
        return row


@blueprint.route(ONE, methods=["DELETE"])
@allow(*PLANNERS)
@blueprint.response(204)
def delete_scheduling_mapping(connection_id: UUID, kind: str, ours: str) -> Response:
    """Take a line away."""
    with writing() as work:
        mappings.remove(work, connection_id, mappings.checked(work, kind, ours))
    return Response(status=204)
