"""The way in for messages of the clinic's scheduling system: a signature in place of a token."""

from typing import Any
from uuid import UUID

from flask import request

from schemas.scheduling_connection import ReceiptAnswer
from server.api.body import Blueprint
from server.api.edge import body_up_to, here, open_with_proof
from server.clinical.visit import RawEvent
from server.event_proof import ProofError, scheme_of, verify
from server.isolation import Extent
from server.services.errors import NotFound, NotSignedIn
from server.services.visits import scheduling_connection as connections
from server.services.visits import scheduling_event as scheduling_events
from server.services.visits.scheduling_connection import Listener
from server.services.work import Work, system

blueprint = Blueprint("scheduling-events", __name__, description="Messages of the clinic's scheduling system")
LARGEST = 64 * 1024
# What an adapter may need to read a message; the rest of the headers is not kept.
KEPT_HEADERS = ("content-type",)


@blueprint.route("/scheduling-events/<uuid:connection_id>", methods=["POST"])
@open_with_proof
@body_up_to(LARGEST)
@blueprint.response(202, ReceiptAnswer)
def receive_scheduling_event(connection_id: UUID) -> Any:
    """Take a message of the system that is connected. Its signature is checked on the raw bytes.

    202 means kept: it is read within a minute, and what it points at is asked for. The same again is
    harmless. 401: the signature is wrong, too old, or missing. 404: there is no such connection in use.
    """
    with here().database.read(Extent.DOOR) as session:
        listener = connections.listener(session, here().clock(), connection_id)
    if listener is None:
        raise NotFound("scheduling connection")
    event_id = _proven(listener)
    raw = RawEvent(request.get_data(), _kept_headers())
    with here().database.write() as session:
        work = Work(session, here().clock(), system(listener.clinic_id))
        return {"known": not scheduling_events.receive(work, connection_id, event_id, raw)}


def _proven(listener: Listener) -> str:
    """Return the id of the message; raises NotSignedIn where its signature is not good."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    scheme, body = scheme_of(listener.proof), request.get_data()
    try:
        return verify(scheme, listener.secrets, headers, body, here().clock())
    except ProofError:
        raise NotSignedIn("The signature is wrong, too old, or missing.") from None


def _kept_headers() -> dict[str, str]:
    headers = ((name, request.headers.get(name)) for name in KEPT_HEADERS)
    return {name: value for name, value in headers if value is not None}
