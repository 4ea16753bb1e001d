"""A suggested visit as FHIR R4 resources: ServiceRequest (what we propose) and Appointment (on the calendar).

Neither says why: no reason, score, drug or diagnosis (docs/scheduling-fhir.md, "What is sent").
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from server.clinical.visit import Mapped, Proposed, Slot
from server.fhir.identifiers import PATIENT_SYSTEM, Resource, reference, suggestion_identifier
from server.fhir.visit_status import (
    APPOINTMENT_PRIORITY,
    APPOINTMENT_STATUS,
    PARTICIPATION,
    REQUEST_PRIORITY,
    REQUEST_STATUS,
    TIMELESS,
)

VISIT_TEXT = "Clinic visit"  # what kind of visit would say what the patient has


def service_request(proposed: Proposed, patient_system: str | None = None) -> Resource:
    """Return the proposal. ``patient_system``: of the numbers that patients are mapped to, if not by id."""
    return {
        "resourceType": "ServiceRequest",
        "identifier": [suggestion_identifier(proposed.id)],
        "status": REQUEST_STATUS[proposed.state],
        "intent": "proposal",
        "priority": REQUEST_PRIORITY[proposed.urgency],
        "code": _kind_of_visit(proposed.mapped),
        "subject": patient(proposed, patient_system),
        "occurrencePeriod": {"start": proposed.earliest.isoformat(), "end": proposed.latest.isoformat()},
        "authoredOn": _instant(proposed.created_at, UTC),
        "requester": {"type": "Device", "display": "Afterglow"},
        **_asked_for(proposed.mapped),
    }


def appointment(
    proposed: Proposed, patient_system: str | None = None, based_on: str | None = None
) -> Resource:
    """Return the appointment; ``based_on`` refers to the proposal. ValueError for a draft: it has none.

    ``slot`` names candidate times that the clinic's own system told; other ones are in ``requestedPeriod``,
    before the whole window.
    """
    status = _appointment_status(proposed)
    return {
        "resourceType": "Appointment",
        "identifier": [suggestion_identifier(proposed.id)],
        "status": status,
        "serviceType": [_kind_of_visit(proposed.mapped)],
        "priority": APPOINTMENT_PRIORITY[proposed.urgency],
        "minutesDuration": proposed.minutes,
        "created": _instant(proposed.created_at, UTC),
        "participant": list(_participants(proposed, patient_system, PARTICIPATION[status])),
        "requestedPeriod": list(_requested(proposed)),
        **_booked_time(proposed),
        **_own_slots(proposed),
        **({"basedOn": [{"reference": based_on}]} if based_on else {}),
    }


def patient(proposed: Proposed, patient_system: str | None = None) -> Resource:
    """Return whom it is for: the clinic's own resource or number, or our id where nothing is mapped."""
    theirs = proposed.mapped.patient
    if theirs and patient_system is None:
        return reference("Patient", theirs)
    named = (patient_system, theirs) if theirs else (PATIENT_SYSTEM, str(proposed.patient_id))
    return {"type": "Patient", "identifier": {"system": named[0], "value": named[1]}}


def _appointment_status(proposed: Proposed) -> str:
    status = APPOINTMENT_STATUS[proposed.state]
    if status is None:
        raise ValueError("a draft is on no calendar")
    if proposed.starts_at is not None or status in TIMELESS:
        return status
    # FHIR has no time for it, so there is none yet (app-3): a person has seen it, and that is all.
    return "proposed"


def _kind_of_visit(mapped: Mapped) -> Resource:
    """Return the kind: the clinic's code, mapped as `system|code`, or its words, or ours."""
    system, bar, code = mapped.appointment_type.partition("|")
    if bar:
        return {"coding": [{"system": system, "code": code} if system else {"code": code}]}
    return {"text": mapped.appointment_type or VISIT_TEXT}


def _asked_for(mapped: Mapped) -> Resource:
    found: Resource = {}
    if mapped.provider:
        found["performer"] = [reference("Practitioner", mapped.provider)]
    if mapped.room:
        found["locationReference"] = [reference("Location", mapped.room)]
    return found


def _participants(proposed: Proposed, patient_system: str | None, status: str) -> Iterator[Resource]:
    # What the patient said counts before what the state of the visit implies.
    own = proposed.patient_answer or status
    yield {"actor": patient(proposed, patient_system), "required": "required", "status": str(own)}
    if proposed.mapped.provider:
        yield {"actor": reference("Practitioner", proposed.mapped.provider), "status": status}
    if proposed.mapped.room:
        yield {"actor": reference("Location", proposed.mapped.room), "status": status}


def _requested(proposed: Proposed) -> Iterator[Resource]:
    zone = ZoneInfo(proposed.zone)
    for slot in proposed.slots:
        if not _is_theirs(slot):
            yield {"start": _instant(slot.starts_at, zone), "end": _instant(slot.ends_at, zone)}
    first = datetime.combine(proposed.earliest, time(), zone)
    last = datetime.combine(proposed.latest, time(23, 59, 59), zone)
    yield {"start": first.isoformat(), "end": last.isoformat()}


def _own_slots(proposed: Proposed) -> Resource:
    found = [{"reference": slot.external_id} for slot in proposed.slots if _is_theirs(slot)]
    return {"slot": found} if found else {}


def _is_theirs(slot: Slot) -> bool:
    return slot.external_id is not None and slot.external_id.startswith("Slot/")


def _booked_time(proposed: Proposed) -> Resource:
    if proposed.starts_at is None:
        return {}
    # Whoever says when it starts does not always say when it ends.
    ends_at = proposed.ends_at or proposed.starts_at + timedelta(minutes=proposed.minutes)
    zone = ZoneInfo(proposed.zone)
    return {"start": _instant(proposed.starts_at, zone), "end": _instant(ends_at, zone)}


def _instant(at: datetime, zone: tzinfo) -> str:
    """Write a moment as FHIR does, to the second."""
    return at.astimezone(zone).replace(microsecond=0).isoformat().replace("+00:00", "Z")
