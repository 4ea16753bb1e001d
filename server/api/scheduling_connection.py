"""The connection to the clinic's scheduling system."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.scheduling_connection import (
    ConnectionAnswer,
    ConnectionBody,
    ConnectionChanges,
    ConnectionList,
    SchedulingEventPage,
    SignedConnectionAnswer,
    TextPageQuery,
)
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, here, reading, writing
from server.api.kept_answer import once
from server.api.paging import paged
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import ConnectionKind, Role
from server.event_proof import scheme_of
from server.services.errors import Invalid
from server.services.visits import copy_release as copy_releases
from server.services.visits import scheduling_connection as connections
from server.services.visits import scheduling_copy as scheduling_copies
from server.services.visits import scheduling_event as scheduling_events
from server.services.visits.scheduling_connection import Made, System

blueprint = Blueprint(
    "scheduling-connections", __name__, description="The clinic's own scheduling system, and how it answers"
)
ALL = "/clinic/scheduling-connections"
ONE = f"{ALL}/<uuid:connection_id>"


@blueprint.route(ALL, methods=["GET"])
@allow(Role.CLINIC_ADMIN, Role.COORDINATOR)
@blueprint.response(200, ConnectionList)
def list_scheduling_connections() -> Any:
    """Read the clinic's connections, also those that are not used any more."""
    with reading() as work:
        return {"items": connections.listed(work)}


@blueprint.route(ALL, methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@once()
@blueprint.arguments(ConnectionBody)
@blueprint.response(201, SignedConnectionAnswer, headers=documented_headers("ETag"))
def create_scheduling_connection(body: Mapping[str, Any]) -> Any:
    """Connect the clinic's system; approved visits that are open go there at once. The secret is shown once.

    Refused (409 `connection-in-use`) while another one is in use.
    """
    described = _system(body["kind"], body)
    with writing() as work:
        made = connections.create(work, described)
        scheduling_copies.take_up(work)
        return _told(made), 201, etag(made.connection.version)


@blueprint.route(ONE, methods=["PATCH"])
@allow(Role.CLINIC_ADMIN)
@blueprint.arguments(ConnectionChanges)
@blueprint.response(200, ConnectionAnswer, headers=documented_headers("ETag"))
@takes_version()
def change_scheduling_connection(body: Mapping[str, Any], connection_id: UUID) -> Any:
    """Change name, settings or proof; needs If-Match. What was set aside is tried again.

    At another address everything that is open begins anew.
    """
    version = required_version()
    with writing() as work:
        known = connections.get(work, connection_id)
        described = _system(known.kind, {"config": known.config, "proof": known.proof, **body})
        is_elsewhere = copy_releases.is_elsewhere(known.config, described.config)
        row = connections.change(work, connection_id, version, described)
        copy_releases.release(work, connection_id)
        if is_elsewhere:
            copy_releases.tell_anew(work, connection_id)
        return row, 200, etag(row.version)


@blueprint.route(f"{ONE}/rotate", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(200, SignedConnectionAnswer)
def rotate_connection_secret(connection_id: UUID) -> Any:
    """Give its messages a new secret, shown once; for 24 hours the one before is good, too."""
    with writing() as work:
        return _told(connections.rotate(work, connection_id))


@blueprint.route(f"{ONE}/check", methods=["POST"])
@allow(Role.CLINIC_ADMIN, Role.COORDINATOR)
@blueprint.response(200, ConnectionAnswer)
def check_scheduling_connection(connection_id: UUID) -> Any:
    """Compare every open visit with its system, within a minute: read `answered_at` and `failure` then."""
    with writing() as work:
        return connections.ask_for_check(work, connection_id)


@blueprint.route(ONE, methods=["DELETE"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(204)
def delete_scheduling_connection(connection_id: UUID) -> Response:
    """Use it no more: its settings and secrets are forgotten. What is booked stays as it is."""
    with writing() as work:
        connections.retire(work, connection_id)
    return Response(status=204)


@blueprint.route(f"{ONE}/events", methods=["GET"])
@allow(Role.CLINIC_ADMIN, Role.COORDINATOR)
@blueprint.arguments(TextPageQuery, location="query")
@blueprint.response(200, SchedulingEventPage)
def list_scheduling_events(query: Mapping[str, Any], connection_id: UUID) -> Any:
    """Read which messages its system sent in the last 30 days, and what came of them."""
    with reading() as work:
        connections.get(work, connection_id)

        def rows(after: str | None, size: int) -> Any:
            return scheduling_events.page(work, connection_id, after, size)

        return paged(query, rows, lambda row: row.event_id)


def _system(kind: ConnectionKind, body: Mapping[str, Any]) -> System:
    """Return the system that ``body`` describes; raises Invalid where it can't be reached or believed."""
    proof = {name: str(text) for name, text in body["proof"].items()}
    _sound("/config", lambda: here().check_connection(kind, body["config"]))
    _sound("/proof", lambda: scheme_of(proof))
    return System(kind, body["name"], body["config"], proof)


def _sound(pointer: str, check: Callable[[], object]) -> None:
    try:
        check()
    except ValueError as reason:
        raise Invalid(pointer, f"Can't be used: {reason}.") from None


def _told(made: Made) -> dict[str, Any]:
    return {"connection": made.connection, "secret": made.secret}
