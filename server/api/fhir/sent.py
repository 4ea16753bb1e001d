"""Resources that are sent to us: what the schema has checked, read by the pure readers."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from server.clinical.visit import Proposed
from server.fhir.clinic_answer import own_number
from server.fhir.identifiers import is_any_suggestions, is_suggestions
from server.fhir.visit_reading import patients_named
from server.services.errors import Invalid
from server.services.people import patient as patients
from server.services.work import Work

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


def check_whose(work: Work, visit: Proposed, body: Mapping[str, Any]) -> None:
    """Raise Invalid where ``body`` names another patient of the clinic, or another visit, than ``visit``.

    Whom the clinic's system calls otherwise nobody here knows; nor does it have to name anybody. Several may
    come at one time, to a group say: beside whom the visit is for.
    """
    named = set(patients_named(raw(body)))
    if visit.patient_id not in named and patients.knows_any(work, named):
        raise Invalid("/participant", "Names another patient than the visit is for.")
    if is_any_suggestions(body) and not is_suggestions(body, visit.id):
        raise Invalid("/identifier", "Is that of another suggested visit.")


def number_of(body: Mapping[str, Any]) -> str | None:
    """Return the clinic's own identifier in ``body``, or None."""
    try:
        return own_number(body)
    except ValueError:
        raise Invalid("/identifier", "Must be a text of at most 200 letters and digits.") from None
