"""A suggested visit as the FHIR tests send it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from server.clinical.visit import Mapped, Proposed, Slot
from server.clinical.vocabulary import AlertClass, SuggestionState

ANA_ID = UUID(int=7)
MADE_AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
TEN = datetime(2026, 12, 3, 15, 0, tzinfo=UTC)  # ten o'clock in New York
HAVE_A_TIME = {
    SuggestionState.BOOKED,
    SuggestionState.ARRIVED,
    SuggestionState.FULFILLED,
    SuggestionState.NOSHOW,
}
MAPPED = Mapped("ana-there", "http://clinic.example/visits|V2", "bo-there", "room-2")
SLOTS = (
    Slot(TEN, TEN + timedelta(minutes=90), "Slot/17"),
    Slot(TEN + timedelta(days=1), TEN + timedelta(days=1, minutes=90)),
)


def proposal(state: SuggestionState = SuggestionState.SUGGESTED, **changes: Any) -> Proposed:
    """Return Ana's suggested visit in ``state``, with a time where it has one."""
    times = {"starts_at": TEN, "ends_at": TEN + timedelta(minutes=90)} if state in HAVE_A_TIME else {}
    found = Proposed(
        id=UUID("018f3c1e-0000-7000-8000-00000000f1a1"),
        clinic_id=UUID(int=1),
        patient_id=ANA_ID,
        version=3,
        state=state,
        urgency=AlertClass.P2,
        earliest=date(2026, 12, 1),
        latest=date(2026, 12, 8),
        zone="America/New_York",
        minutes=90,
        created_at=MADE_AT,
        changed_at=MADE_AT,
    )
    return replace(found, **{**times, **changes})
