"""How our things are named in FHIR, whoever holds the resource (docs/scheduling-fhir.md)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from server.fhir.ids import read_uuid

Resource = dict[str, Any]

# The same for every clinic and host: what we sent can be found again, whatever we are reached at.
SUGGESTION_SYSTEM = "urn:afterglow:suggestion"
PATIENT_SYSTEM = "urn:afterglow:patient"
# R4's ids, but for the two that mean another folder in an address.
_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9.-]{1,64}", re.ASCII)
# However it is addressed: by itself, on a server, in a version. That has no `/`, so that a very long one that
# begins again and again is not read to its end each time.
_APPOINTMENT = re.compile(r"(?:.*/)?Appointment/([A-Za-z0-9.-]{1,64})(?:/_history/[^/\n]*)?", re.ASCII)
_PATIENT = re.compile(r"(?:.*/)?Patient/([0-9a-f-]{36})(?:/_history/[^/\n]*)?", re.ASCII)


def suggestion_identifier(suggestion_id: UUID) -> Resource:
    """Return the identifier of a suggested visit: of its ServiceRequest and of its Appointment."""
    return {"system": SUGGESTION_SYSTEM, "value": str(suggestion_id)}


def suggestion_token(suggestion_id: UUID) -> str:
    """Return what searches by that identifier ask for."""
    return f"{SUGGESTION_SYSTEM}|{suggestion_id}"


def reference(kind: str, name: str) -> Resource:
    """Return a reference to ``name``: an id of a ``kind``, `Kind/id`, or a whole address."""
    return {"reference": name if "/" in name else f"{kind}/{name}"}


def is_suggestions(resource: Mapping[str, Any], suggestion_id: UUID) -> bool:
    """Return whether the resource carries the identifier of this suggestion."""
    return str(suggestion_id) in _suggestions(resource)


def is_any_suggestions(resource: Mapping[str, Any]) -> bool:
    """Return whether the resource is one that we made."""
    return any(_suggestions(resource))


def suggestion_of(resource: Mapping[str, Any]) -> UUID | None:
    """Return the suggestion that the resource is of; ValueError where the identifier is none of ours."""
    return next((UUID(value) for value in _suggestions(resource)), None)


def appointment_id(reference: Any) -> str | None:
    """Return the id of the appointment that ``reference`` leads to; None where it leads to none."""
    raw = reference.get("reference") if isinstance(reference, Mapping) else None
    found = _APPOINTMENT.fullmatch(raw) if isinstance(raw, str) else None
    return found[1] if found and is_id(found[1]) else None


def patient_id(reference: Any) -> UUID | None:
    """Return the id that ``reference`` names a patient by, where it is of the form of ours; else None."""
    if not isinstance(reference, Mapping):
        return None
    raw, own = reference.get("reference"), reference.get("identifier")
    found = _PATIENT.fullmatch(raw) if isinstance(raw, str) else None
    if found is None and isinstance(own, Mapping) and own.get("system") == PATIENT_SYSTEM:
        return read_uuid(str(own.get("value")))
    return read_uuid(found[1]) if found else None


def is_id(text: str) -> bool:
    """Return whether ``text`` can be a resource's id, and nothing more in an address."""
    return _ID.fullmatch(text) is not None


def _suggestions(resource: Mapping[str, Any]) -> Iterator[str]:
    found = resource.get("identifier")
    for one in found if isinstance(found, list) else []:
        if isinstance(one, Mapping) and one.get("system") == SUGGESTION_SYSTEM:
            yield str(one.get("value")).lower().removeprefix("urn:uuid:")
