"""What the scheduling system sees of visits and says of them, in the inbox and in FHIR, for the contract."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from flask import Flask
from uuid_utils.compat import uuid7

from schemas.booking_suggestion import ApprovalBody, DismissalBody
from schemas.fhir.visit import FhirAppointmentBody, FhirAppointmentResponseBody
from schemas.inbox import DeclineBody
from server.api.calendar_reply import EXAMPLES
from server.api.edge import Surroundings
from server.calendars.kinds import MAIL
from server.clinical.vocabulary import Role
from tests.cast import new_staff
from tests.contract_calendars import suggest

Ask = Callable[..., Any]
SUGGESTIONS = "/v1/booking-suggestions/{suggestion_id}"
INBOX = "/v1/inbox/booking-suggestions"
ONE = f"{INBOX}/{{suggestion_id}}"
FHIR = "/fhir/R4"
# The visit that the example of a reply names.
ASKED = "019caae3-5000-7000-8000-000000000001"


class Tokens(Protocol):
    """Whose tokens it takes."""

    clinician: str


def play(ask: Ask, clinic: Tokens, app: Flask, patient: str) -> None:
    """Visits of Gail's are approved, and end in every way that there is; one is dismissed."""
    bo, whose = clinic.clinician, UUID(patient)
    starts_at = Surroundings.of(app).clock() + timedelta(days=3)
    first = suggest(app, whose, uuid7())
    system = new_staff(app, first.clinic_id, Role.INTEGRATION, "Desk").token
    _is_kept(ask, system, _approved(ask, bo, first.id), starts_at)
    second = _approved(ask, bo, suggest(app, whose, uuid7()).id)
    _report(ask, system, second, "book", {"external_id": "apt-4712", "starts_at": starts_at.isoformat()})
    _report(ask, system, second, "noshow")
    third = _approved(ask, bo, suggest(app, whose, uuid7()).id)
    _report(ask, system, third, "decline", DeclineBody.EXAMPLE)
    fourth = {"suggestion_id": str(suggest(app, whose, uuid7()).id)}
    ask(bo, f"post {SUGGESTIONS}/dismiss", DismissalBody.EXAMPLE, **fourth, version=1)
    _is_told_in_fhir(ask, system, _approved(ask, bo, suggest(app, whose, uuid7()).id), starts_at)
    _is_answered_by_mail(ask, system, _approved(ask, bo, suggest(app, whose, uuid7()).id))
    issues = f"get {FHIR}/DetectedIssue"
    found = ask(bo, issues, query=f"?patient={patient}&_count=1")["entry"][0]["resource"]
    ask(bo, f"{issues}/{{alert_id}}", alert_id=found["id"])


def _approved(ask: Ask, bo: str, visit: UUID) -> str:
    return str(
        ask(bo, f"post {SUGGESTIONS}/approve", ApprovalBody.EXAMPLE, suggestion_id=str(visit), version=1)[
            "id"
        ]
    )


def _is_kept(ask: Ask, system: str, visit: str, starts_at: datetime) -> None:
    """Somebody looks, asks Gail about a time, books it, and she comes."""
    ask(system, f"get {INBOX}", query="?limit=1")
    _report(ask, system, visit, "acknowledge")
    _report(ask, system, visit, "propose-time", {"starts_at": starts_at.isoformat()})
    _report(ask, system, visit, "book", {"external_id": "apt-4711", "starts_at": starts_at.isoformat()})
    for verb in ("arrive", "complete"):
        _report(ask, system, visit, verb)
    ask(system, f"get {ONE}/history", suggestion_id=visit)


def _report(ask: Ask, system: str, visit: str, verb: str, body: Any = None) -> None:
    version = ask(system, f"get {ONE}", suggestion_id=visit)["version"]
    ask(system, f"post {ONE}/{verb}", body, suggestion_id=visit, version=version)


def _is_told_in_fhir(ask: Ask, system: str, visit: str, starts_at: datetime) -> None:
    """The system finds it as a proposal, books it with an answer, and puts the appointment as it stands."""
    open_ones = {"ServiceRequest": "active", "Appointment": "proposed"}
    for kind, status in open_ones.items():
        ask(system, f"get {FHIR}/{kind}", query=f"?status={status}&_count=1")
        ask(system, f"get {FHIR}/{kind}/{{visit_id}}", visit_id=visit)
    named = {"appointment": {"reference": f"Appointment/{visit}"}}
    times = {"start": starts_at.isoformat(), "end": (starts_at + timedelta(minutes=90)).isoformat()}
    said = {**FhirAppointmentResponseBody.EXAMPLE, **named, **times}
    ask(system, f"post {FHIR}/AppointmentResponse", said)
    one = f"{FHIR}/Appointment/{{visit_id}}"
    version = ask(system, f"get {one}", visit_id=visit)["meta"]["versionId"]
    body = json.dumps({**FhirAppointmentBody.EXAMPLE, "id": visit, **times, "status": "fulfilled"})
    headers = {"If-Match": f'W/"{version}"', "Content-Type": "application/fhir+json"}
    ask(system, f"put {one}", signed=(body.encode(), headers), visit_id=visit)


def _is_answered_by_mail(ask: Ask, system: str, visit: str) -> None:
    mail = EXAMPLES[MAIL].replace(ASKED, visit).replace("SEQUENCE:3", "SEQUENCE:2").encode()
    ask(system, "post /v1/inbox/calendar-replies", signed=(mail, {"Content-Type": MAIL}))
