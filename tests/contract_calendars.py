"""The part of the contract's story in which a visit of Ana's stands in calendars."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from flask import Flask

from schemas.calendar_feed import CalendarFeedBody
from server.api.edge import Surroundings
from server.clinical.vocabulary import Arm, Role, SuggestionState
from server.models import BookingSuggestion, Patient
from server.services.visits.suggestion_move import note
from server.services.work import Work, system
from tests.cast import new_staff

Ask = Callable[..., Any]
# Made here: its last figures stand in titles, which must be the same at every run.
VISIT = UUID("019caae3-5000-7000-8000-00000ca1e0da")


class Tokens(Protocol):
    """Whose tokens it takes."""

    clinician: str
    coordinator: str


def play(ask: Ask, clinic: Tokens, app: Flask, patient: str, ana: str) -> None:
    """A visit is suggested and booked; Dee makes a feed; Ana takes the file; it is called off."""
    now = Surroundings.of(app).clock()
    clinic_id = suggest(app, UUID(patient), VISIT).clinic_id
    approval = {"override_reason": "Talked to her."}
    visit = ask(
        clinic.clinician,
        "post /v1/booking-suggestions/{suggestion_id}/approve",
        approval,
        suggestion_id=str(VISIT),
        version=1,
    )
    system_token = new_staff(app, clinic_id, Role.INTEGRATION, "Calendar").token
    at = (now + timedelta(days=3)).isoformat()
    booked = ask(
        system_token,
        "post /v1/inbox/booking-suggestions/{suggestion_id}/book",
        {"external_id": "apt-4711", "starts_at": at},
        suggestion_id=str(VISIT),
        version=visit["version"],
    )
    made = ask(clinic.coordinator, "post /v1/clinic/calendar-feeds", CalendarFeedBody.EXAMPLE)
    token = made["url"].split("/")[-2]
    ask(None, "get /v1/calendar-feeds/{feed_token}/visits.ics", feed_token=token)
    ask(clinic.coordinator, "get /v1/clinic/calendar-feeds")
    ask(clinic.coordinator, "delete /v1/clinic/calendar-feeds/{feed_id}", feed_id=made["feed"]["id"])
    ask(ana, "get /v1/visits/{visit_id}/calendar", visit_id=str(VISIT))
    inbox = "/v1/inbox/booking-suggestions/{suggestion_id}"
    ask(system_token, f"post {inbox}/cancel", suggestion_id=str(VISIT), version=booked["version"])


def suggest(app: Flask, patient_id: UUID, visit_id: UUID) -> BookingSuggestion:
    """Draft a visit as the watch would."""
    around = Surroundings.of(app)
    now = around.clock()
    with around.database.write() as session:
        patient = session.query(Patient).filter_by(id=patient_id).one()
        visit = BookingSuggestion(
            clinic_id=patient.clinic_id,
            id=visit_id,
            patient_id=patient_id,
            programme=Arm.PAIN,
            state=SuggestionState.DRAFT,
            reason="maintenance_due",
            urgency="P3",
            earliest=now.date() + timedelta(days=2),
            latest=now.date() + timedelta(days=9),
            blocks=[],
            created_at=now,
            changed_at=now,
            version=1,
        )
        session.add(visit)
        note(Work(session, now, system(patient.clinic_id)), visit, "draft", {})
        session.flush()
        session.expunge(visit)
        return visit
