"""What FHIR R4 resources of a clinic's system say of a visit. ValueError for what makes no sense."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard
from uuid import UUID

from server.clinical.visit import Seen
from server.clinical.vocabulary import DeclineCode, PeerStatus
from server.fhir.identifiers import is_id, patient_id
from server.fhir.visit_status import (
    APPOINTMENT_ENDED,
    APPOINTMENT_READ,
    CANCELLATION_READ,
    CANCELLATION_SYSTEM,
    REQUEST_READ,
)

Read = Mapping[str, Any]
PARTICIPATIONS = ("accepted", "declined", "tentative", "needs-action")


@dataclass(frozen=True, slots=True)
class Answered:
    """An AppointmentResponse: which appointment (a reference), what was answered, another time if any.

    ``status``: one of `PARTICIPATIONS`.
    """

    appointment: str
    status: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def read_appointment(resource: Read, was_booked: bool | None = None) -> Seen:
    """Read an Appointment. One that ended was cancelled if it ``was_booked``, else declined.

    None: nobody here knows; then one with a time was.
    """
    _check_kind(resource, "Appointment")
    starts_at, ends_at = read_times(resource)
    status = _appointment_status(resource, starts_at is not None if was_booked is None else was_booked)
    if status is PeerStatus.BOOKED and starts_at is None:
        raise ValueError("an appointment that is booked has a time")
    declined = status is PeerStatus.DECLINED
    return Seen(
        external_id=_id(resource),
        status=status,
        starts_at=starts_at,
        ends_at=ends_at,
        version=_version(resource),
        changed_at=_changed_at(resource),
        decline=_decline(resource) if declined else None,
    )


def read_service_request(resource: Read) -> Seen:
    """Read a ServiceRequest; it never says when exactly."""
    _check_kind(resource, "ServiceRequest")
    status = REQUEST_READ.get(_text(resource, "status"))
    if status is None:
        raise ValueError("a status that no ServiceRequest has")
    decline = DeclineCode.OTHER if status is PeerStatus.DECLINED else None
    return Seen(
        external_id=_id(resource),
        status=status,
        version=_version(resource),
        changed_at=_changed_at(resource),
        decline=decline,
    )


def read_appointment_response(resource: Read) -> Answered:
    """Read an AppointmentResponse."""
    _check_kind(resource, "AppointmentResponse")
    status = _text(resource, "participantStatus")
    if status not in PARTICIPATIONS:
        raise ValueError("an answer that nobody can give")
    starts_at, ends_at = read_times(resource)
    return Answered(_text(_member(resource, "appointment"), "reference"), status, starts_at, ends_at)


def read_times(resource: Read) -> tuple[datetime | None, datetime | None]:
    """Return start and end, aware, as far as they are there."""
    start, end = read_instant(resource.get("start")), read_instant(resource.get("end"))
    if start is not None and end is not None and end < start:
        raise ValueError("the end is before the start")
    return start, end


def read_instant(raw: object) -> datetime | None:
    """Read a FHIR instant; None where there is none."""
    if raw is None:
        return None
    if not isinstance(raw, str):
        raise ValueError("a moment is text")
    found = datetime.fromisoformat(raw)
    if found.tzinfo is None:
        raise ValueError("a moment has an offset")
    return found


def is_based_on(resource: Read, name: str) -> bool:
    """Return whether an Appointment is based on ``name`` (`ServiceRequest/id`), however it is addressed."""
    found = resource.get("basedOn")
    named = [one.get("reference") for one in found if isinstance(one, Mapping)] if _is_list(found) else []
    return any(isinstance(one, str) and f"/{one}".endswith(f"/{name}") for one in named)


def patients_named(resource: Read) -> Iterator[UUID]:
    """Yield whom an Appointment, or an answer to one, names as a patient by an id of the form of ours."""
    found = resource.get("participant")
    actors = [one.get("actor") for one in found if isinstance(one, Mapping)] if _is_list(found) else []
    yield from filter(None, map(patient_id, (*actors, resource.get("actor"))))


def _appointment_status(resource: Read, was_booked: bool) -> PeerStatus:
    status = _text(resource, "status")
    if status in APPOINTMENT_ENDED:
        return PeerStatus.CANCELLED if was_booked else PeerStatus.DECLINED
    if status not in APPOINTMENT_READ:
        raise ValueError("a status that no Appointment has")
    return APPOINTMENT_READ[status]


def _decline(resource: Read) -> DeclineCode:
    reason = resource.get("cancelationReason")
    codings = reason.get("coding", []) if isinstance(reason, Mapping) else []
    known = (one for one in codings if isinstance(one, Mapping) and one.get("system") == CANCELLATION_SYSTEM)
    found = (CANCELLATION_READ.get(str(one.get("code"))) for one in known)
    return next((code for code in found if code is not None), DeclineCode.OTHER)


def _check_kind(resource: Read, kind: str) -> None:
    if not isinstance(resource, Mapping) or resource.get("resourceType") != kind:
        raise ValueError(f"is no {kind}")


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _id(resource: Read) -> str:
    found = _text(resource, "id")
    if not is_id(found):
        raise ValueError("an id that is none")
    return found


def _version(resource: Read) -> str | None:
    found = resource.get("meta")
    version = found.get("versionId") if isinstance(found, Mapping) else None
    return version if isinstance(version, str) and version else None


def _changed_at(resource: Read) -> datetime | None:
    found = resource.get("meta")
    return read_instant(found.get("lastUpdated")) if isinstance(found, Mapping) else None


def _member(resource: Read, name: str) -> Read:
    found = resource.get(name)
    if not isinstance(found, Mapping):
        raise ValueError(f"has no {name}")
    return found


def _text(resource: Read, name: str) -> str:
    found = resource.get(name)
    if not isinstance(found, str) or not found:
        raise ValueError(f"has no {name}")
    return found
