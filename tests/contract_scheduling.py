"""The part of the contract's story in which the clinic's own scheduling system is connected."""

import hmac
import json
from collections.abc import Callable
from typing import Any, Protocol

from flask import Flask

from schemas.review_task import SettlingBody
from schemas.scheduling_connection import ConnectionBody, ConnectionChanges, MappingBody
from server.api.edge import Surroundings
from server.clinical.visit import SchedulingEvent as Pointer
from server.services.visits import scheduling_event
from server.services.work import Work, system

Ask = Callable[..., Any]
ALL = "/v1/clinic/scheduling-connections"
ONE = f"{ALL}/{{connection_id}}"
LINE = f"{ONE}/mappings/{{kind}}/{{ours}}"
EVENT_ID = "msg-1"


class Tokens(Protocol):
    """Whose tokens it takes."""

    clinician: str
    coordinator: str
    admin: str


def play(ask: Ask, clinic: Tokens, app: Flask) -> None:
    """Eli connects the clinic's system; it sends a message about a visit nobody knows; Dee looks at it."""
    admin, dee = clinic.admin, clinic.coordinator
    made = ask(admin, f"post {ALL}", ConnectionBody.EXAMPLE)
    named = {"connection_id": made["connection"]["id"]}
    line = {**named, "kind": "appointment_type", "ours": "maintenance_visit"}
    ask(admin, f"put {LINE}", MappingBody.EXAMPLE, **line)
    ask(admin, f"get {ONE}/mappings", **named)
    ask(admin, f"delete {LINE}", **line)
    ask(admin, f"patch {ONE}", ConnectionChanges.EXAMPLE, version=1, **named)
    made = ask(admin, f"post {ONE}/rotate", **named)
    ask(admin, f"post {ONE}/check", **named)
    _is_copied(ask, clinic.clinician)
    _sends(ask, app, made)
    _is_followed(app, named["connection_id"])
    ask(admin, f"get {ONE}/events", **named)
    task = ask(dee, "get /v1/review-tasks")["items"][0]["id"]
    ask(dee, "post /v1/review-tasks/{task_id}/settle", SettlingBody.EXAMPLE, task_id=task)
    ask(admin, f"get {ALL}")
    ask(admin, f"delete {ONE}", **named)


def _is_copied(ask: Ask, bo: str) -> None:
    visits = ask(bo, "get /v1/booking-suggestions", query="?state=suggested")["items"]
    named = {"suggestion_id": visits[0]["id"]}
    path = "/v1/booking-suggestions/{suggestion_id}/copy"
    ask(bo, f"get {path}", **named)
    ask(bo, f"post {path}/retry", **named)


def _sends(ask: Ask, app: Flask, made: Any) -> None:
    """The system signs as its connection says."""
    proof, secret = made["connection"]["proof"], made["secret"]
    body = json.dumps({"resourceType": "Appointment", "id": "a1"}).encode()
    signature = hmac.digest(secret.encode(), body, "sha256").hex()
    headers = {proof["header"]: signature, proof["id_header"]: EVENT_ID, "Content-Type": "application/json"}
    ask(
        None,
        "post /v1/scheduling-events/{connection_id}",
        signed=(body, headers),
        connection_id=made["connection"]["id"],
    )


def _is_followed(app: Flask, connection_id: str) -> None:
    """Let the job look at it: the system itself is not there in this story."""
    around = Surroundings.of(app)
    with around.database.write() as session:
        for event in scheduling_event.queued(session, around.clock(), 10):
            work = Work(session, around.clock(), system(event.clinic_id))
            scheduling_event.follow(work, event, [Pointer(external_id="a1")])
