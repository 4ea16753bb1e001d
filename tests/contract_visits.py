"""The part of the contract's story that is about visits: what speaks against one, and one that is offered."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

from uuid_utils.compat import uuid7

from schemas.blood_pressure import BloodPressureBody
from schemas.booking_suggestion import ChangeBody
from schemas.course import CourseBody
from schemas.offered_visit import VisitAnswerBody
from schemas.precaution import PrecautionBody

Ask = Callable[..., Any]
PATIENT = "/v1/patients/{patient_id}/"
# She gives herself a password of her own.
WORD = "lighthouse"
GAIL = {"email": "gail@home.example", "password": "a password of her own"}
BETTER = {"mood": 8, "interest": 8, "anxiety": 1, "restlessness": 1, "sleep_quality": 8}
WORSE = {"mood": 1, "interest": 1, "anxiety": 9, "restlessness": 9, "sleep_quality": 1}


class Tokens(Protocol):
    """Whose tokens it takes."""

    clinician: str
    coordinator: str


def play(ask: Ask, clinic: Tokens, now: datetime) -> None:
    """Gail was treated a month ago and feels worse again: Bo looks, and a visit is offered to her."""
    patient, gail = _enrols(ask, clinic.coordinator)
    _is_treated(ask, clinic.clinician, patient, now)
    ask(gail, "post /v1/sync", {"items": [*_weeks(now)]})
    _is_looked_at(ask, clinic.clinician, patient)
    visit = _is_approved(ask, clinic.clinician, patient)
    ask(gail, "get /v1/visits")
    ask(gail, "get /v1/visits/{visit_id}", visit_id=visit["id"])
    ask(
        gail,
        "post /v1/visits/{visit_id}/answer",
        VisitAnswerBody.EXAMPLE,
        visit_id=visit["id"],
        version=visit["version"],
    )
    ask(clinic.clinician, "get /v1/booking-suggestions/{suggestion_id}", suggestion_id=visit["id"])
    ask(clinic.clinician, "get /v1/visit-yield")


def _enrols(ask: Ask, coordinator: str) -> tuple[str, str]:
    patient = ask(coordinator, "post /v1/patients", {"name": "Gail", "zone": "Europe/Oslo"})["id"]
    bound = {"email": GAIL["email"], "word": WORD}
    invited = ask(coordinator, "post /v1/patients/{patient_id}/invitations", bound, patient_id=patient)
    ask(None, "post /v1/enrolments", {**GAIL, "code": invited["code"], "proof": WORD})
    tokens = ask(None, "post /v1/sign-ins", {**GAIL, "clinic": "demo"})
    return str(patient), str(tokens["access_token"])


def _is_treated(ask: Ask, bo: str, patient: str, now: datetime) -> None:
    named = {"patient_id": patient}
    course = ask(bo, f"post {PATIENT}courses", CourseBody.EXAMPLE, **named)["id"]
    at = (now - timedelta(days=30)).isoformat()
    body = {"course_id": course, "status": "delivered", "at": at}
    ask(bo, f"post {PATIENT}treatment-sessions", body, **named)


def _weeks(now: datetime) -> Iterator[dict[str, Any]]:
    for back in range(29, 0, -1):
        felt = (now - timedelta(days=back)).isoformat()
        body = {"occurred_at": felt, "zone": "Europe/Oslo", "items": WORSE if back < 6 else BETTER}
        yield {"id": str(uuid7()), "action": "put", "entry": body}


def _is_looked_at(ask: Ask, bo: str, patient: str) -> None:
    """Bo records a precaution and a blood pressure, and takes both back; she closes the alert."""
    named = {"patient_id": patient}
    one = ask(bo, f"post {PATIENT}precautions", PrecautionBody.EXAMPLE, **named)["id"]
    ask(bo, f"get {PATIENT}precautions", **named)
    ask(bo, f"post {PATIENT}precautions/{{precaution_id}}/end", **named, precaution_id=one, version=1)
    pressure = ask(bo, f"post {PATIENT}blood-pressures", BloodPressureBody.EXAMPLE, **named)["id"]
    ask(bo, f"get {PATIENT}blood-pressures", **named)
    back = f"post {PATIENT}blood-pressures/{{pressure_id}}/withdraw"
    ask(bo, back, **named, pressure_id=pressure, version=1)
    for alert in ask(bo, "get /v1/alerts", query=f"?patient_id={patient}")["items"]:
        closing = {"outcome": "visit_arranged", "note": "Comes in."}
        ask(bo, "post /v1/alerts/{alert_id}/resolve", closing, alert_id=alert["id"], version=alert["version"])


def _is_approved(ask: Ask, bo: str, patient: str) -> dict[str, Any]:
    path = "/v1/booking-suggestions"
    (draft,) = ask(bo, f"get {path}", query=f"?patient_id={patient}")["items"]
    named = {"suggestion_id": draft["id"]}
    change = {**ChangeBody.EXAMPLE, "latest": "2026-05-20"}
    changed = ask(bo, f"post {path}/{{suggestion_id}}/change", change, **named, version=draft["version"])
    approval = {"override_reason": "Talked to her."}
    approved: dict[str, Any] = ask(
        bo, f"post {path}/{{suggestion_id}}/approve", approval, **named, version=changed["version"]
    )
    return approved
