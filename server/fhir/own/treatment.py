"""Courses as CarePlans and sessions as Procedures: when and by which route, never a drug or a dose."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from server.clinical.vocabulary import SessionStatus
from server.fhir.codes import coding, concept, instant, named
from server.fhir.identifiers import Resource
from server.fhir.own import codes
from server.fhir.reported import patient

# A planned session is a Procedure in its earliest state: R4's event states have no "planned".
STATUS: Mapping[str, str] = {
    SessionStatus.PLANNED.value: "preparation",
    SessionStatus.DELIVERED.value: "completed",
}


def care_plan(whose: UUID, place: int, course: Mapping[str, Any]) -> Resource:
    """Return a course. ``place``: its place in the export's list, from 0."""
    ended = course["ended_on"]
    detail = {
        "code": _concept(codes.ROUTE, course["route"]),
        "reasonCode": [_concept(codes.CONDITION, course["condition"])],
        "status": "completed" if ended else "in-progress",
        "scheduledTiming": {"repeat": _interval(course)},
    }
    return {
        "resourceType": "CarePlan",
        "id": _id(whose, "course", place),
        "status": "completed" if ended else "active",
        "intent": "plan",
        "category": [_concept(codes.PHASE, course["phase"])],
        "subject": patient(whose),
        "period": {"start": course["started_on"], **({"end": ended} if ended else {})},
        "activity": [{"detail": detail}],
    }


def procedure(whose: UUID, place: int, session: Mapping[str, Any]) -> Resource:
    """Return a session, which is based on its course. ``place`` as of `care_plan`."""
    what = coding(codes.SESSION, "session")
    return {
        "resourceType": "Procedure",
        "id": _id(whose, "session", place),
        "basedOn": [{"reference": f"CarePlan/{_id(whose, 'course', session['course'])}"}],
        "status": STATUS[session["status"]],
        "code": concept(what, coding(codes.ROUTE, session["route"]), text=named(session["route"])),
        "subject": patient(whose),
        "performedDateTime": instant(datetime.fromisoformat(session["at"])),
    }


def _interval(course: Mapping[str, Any]) -> Resource:
    low, high = course["min_interval_days"], course["max_interval_days"]
    return {"frequency": 1, "period": low, "periodMax": high, "periodUnit": "d"}


def _concept(system: str, code: str) -> Resource:
    return concept(coding(system, code), text=named(code))


def _id(whose: UUID, kind: str, place: int) -> str:
    """Return an id: they have none of their own in an export, and two files must not share one."""
    return f"{whose}.{kind}.{place + 1}"
