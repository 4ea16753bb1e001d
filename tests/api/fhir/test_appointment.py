"""A scheduling system that speaks FHIR: it searches what is proposed, answers, and reports how it went."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import Clock
from tests.fhir_client import Fhir
from tests.visits import Visits

IDENTIFIER = "urn:afterglow:suggestion"


@pytest.fixture
def fhir(cast: Cast) -> Fhir:
    """The clinic's scheduling system."""
    return Fhir(cast.scheduler)


def test_what_is_approved_is_found_answered_and_booked(visits: Visits, fhir: Fhir, clock: Clock) -> None:
    suggestion = visits.approved()
    (proposal,) = fhir.found("ServiceRequest?intent=proposal&status=active")
    (proposed,) = fhir.found("Appointment?status=proposed")
    assert (proposal["id"], proposed["id"]) == (suggestion, suggestion)
    assert proposed["basedOn"] == [{"reference": f"ServiceRequest/{suggestion}"}]
    made = fhir.post("AppointmentResponse", answer_to(suggestion, "accepted", clock.now + timedelta(days=3)))
    assert (made.status_code, made.json["participantStatus"]) == (201, "accepted")
    booked = fhir.read(f"Appointment/{suggestion}")
    assert (booked["status"], booked["start"]) == ("booked", "2026-03-05T13:00:00+01:00")


def answer_to(suggestion: str, status: str, starts_at: datetime | None = None) -> dict[str, Any]:
    times = {} if starts_at is None else {"start": starts_at.isoformat()}
    return {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": f"Appointment/{suggestion}"},
        "actor": {"display": "Front desk"},
        "participantStatus": status,
        **times,
    }
