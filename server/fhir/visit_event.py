"""What a notification of a FHIR system points at: a resource, or a Bundle of them or of references.

It is a hint (the state is fetched), so only names are read, never a status.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from server.clinical.visit import SchedulingEvent
from server.fhir.identifiers import appointment_id, is_id, suggestion_of
from server.fhir.visit_reading import Read, read_instant


def read_events(resource: Any) -> list[SchedulingEvent]:
    """Return what is named, each once; ValueError where nothing that could be ours is."""
    if not isinstance(resource, Mapping):
        raise ValueError("is no resource")
    found = list(dict.fromkeys(_events(resource)))
    if not found:
        raise ValueError("names no visit")
    return found


def _events(resource: Read) -> Iterator[SchedulingEvent]:
    kind = resource.get("resourceType")
    if kind == "Bundle":
        for inner in _inside(resource):
            yield from _events(inner)
    elif kind == "Appointment":
        yield from _event(_id(resource.get("id")), suggestion_of(resource), resource)
    elif kind == "ServiceRequest":
        yield from _event(None, suggestion_of(resource), resource)
    elif kind == "AppointmentResponse":
        yield from _event(appointment_id(resource.get("appointment")), None, resource)
    elif kind in ("SubscriptionStatus", "Parameters"):
        for reference in _references(resource):
            yield from _event(appointment_id(reference), None, {})


def _event(external_id: str | None, suggestion: UUID | None, resource: Read) -> Iterator[SchedulingEvent]:
    meta = resource.get("meta")
    changed_at = read_instant(meta.get("lastUpdated")) if isinstance(meta, Mapping) else None
    if external_id is not None or suggestion is not None:
        yield SchedulingEvent(external_id, suggestion, changed_at)


def _inside(bundle: Read) -> Iterator[Read]:
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else []:
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(resource, Mapping) and resource.get("resourceType") != "Bundle":
            yield resource


def _references(value: Any) -> Iterator[Read]:
    """Yield every reference anywhere inside: the backport of subscriptions nests them in parameters."""
    if isinstance(value, Mapping):
        if isinstance(value.get("reference"), str):
            yield value
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for member in value:
            yield from _references(member)


def _id(raw: Any) -> str | None:
    return raw if isinstance(raw, str) and is_id(raw) else None
