"""What a clinic's system answers to a proposal: under which number of its own, and what we took of it."""

from collections.abc import Mapping
from typing import Any

from server.clinical.visit import Proposed
from server.fhir.codes import instant
from server.fhir.identifiers import SUGGESTION_SYSTEM, Resource
from server.fhir.visit_reading import Answered

LONGEST = 200


def own_number(resource: Mapping[str, Any]) -> str | None:
    """Return the first identifier in ``resource`` that is not ours; None where there is none.

    Raises ValueError for one that can't be kept: longer than 200, or with control characters.
    """
    found = resource.get("identifier", [])
    named = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, Mapping)]
    theirs = [one.get("value") for one in named if one.get("system") != SUGGESTION_SYSTEM]
    number = next((value for value in theirs if value is not None), None)
    if number is None:
        return None
    if not isinstance(number, str) or not 0 < len(number) <= LONGEST or not number.isprintable():
        raise ValueError("an identifier is a short text")
    return number


def appointment_response(proposed: Proposed, said: Answered) -> Resource:
    """Return the clinic's answer ``said``, after which the visit stands as ``proposed``."""
    times = {"start": said.starts_at, "end": said.ends_at}
    return {
        "resourceType": "AppointmentResponse",
        "id": f"{proposed.id}.{proposed.version}",
        "meta": {"versionId": "1", "lastUpdated": instant(proposed.changed_at)},
        "appointment": {"reference": f"Appointment/{proposed.id}"},
        "actor": {"display": "The clinic"},
        "participantStatus": said.status,
        **{name: instant(at) for name, at in times.items() if at is not None},
    }
