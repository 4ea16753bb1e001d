"""Resources that are sent to us: what the schema has checked, read by the pure readers."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from server.fhir.clinic_answer import own_number
from server.services.errors import Invalid

T = TypeVar("T")
# The schema's own names of what stands under another one in FHIR.
_NAMES = {"resource_type": "resourceType", "starts_at": "start", "ends_at": "end"}


def raw(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a loaded ``body`` as the resource it was."""
    renamed = {_NAMES.get(name, name): value for name, value in body.items()}
    if renamed.get("resourceType") == "AppointmentResponse":
        renamed["participantStatus"] = renamed.pop("status")
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in renamed.items()}


def read_as(read: Callable[[], T]) -> T:
    """Return what ``read`` makes of a resource; one that makes no sense can't be taken."""
    try:
        return read()
    except ValueError:
        # What it says may repeat what was sent.
        raise Invalid("", "Its status and its times do not go together, or it has no id.") from None


def number_of(body: Mapping[str, Any]) -> str | None:
    """Return the clinic's own identifier in ``body``, or None."""
    try:
        return own_number(body)
    except ValueError:
        raise Invalid("/identifier", "Must be a text of at most 200 letters and digits.") from None
