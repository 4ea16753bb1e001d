"""A suggestion as the calendar tests use it, and what a program sends back."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from server.calendars.visit import Parties
from server.clinical.visit import Proposed
from server.clinical.vocabulary import AlertClass, SuggestionState

ID = UUID("019caae3-5000-7000-8000-0000000a11ce")
UID = f"{ID}@visits.afterglow.invalid"
STAMP = datetime(2026, 3, 2, 12, 0, 7, 123456, tzinfo=UTC)
NINE = datetime(2026, 3, 6, 9, tzinfo=UTC)
PARTIES = Parties("visits@journal.example", "scheduling@clinic.example")
SENT = Proposed(
    id=ID,
    clinic_id=UUID(int=1),
    patient_id=UUID(int=2),
    version=3,
    state=SuggestionState.SENT,
    urgency=AlertClass.P2,
    earliest=date(2026, 3, 5),
    latest=date(2026, 3, 12),
    zone="Europe/Oslo",
    minutes=90,
    created_at=datetime(2026, 3, 1, 8, tzinfo=UTC),
    changed_at=datetime(2026, 3, 2, 11, tzinfo=UTC),
)
BOOKED = replace(SENT, state=SuggestionState.BOOKED, version=5, starts_at=NINE)


def answer(partstat: str = "ACCEPTED", method: str = "REPLY", **parts: Any) -> bytes:
    """Return an answer to the invitation as a calendar program writes it. ``parts`` replace its lines."""
    lines = {
        "uid": f"UID:{UID}",
        "sequence": "SEQUENCE:3",
        "dtstamp": "DTSTAMP:20260303T080000Z",
        "start": "DTSTART;VALUE=DATE:20260305",
        "end": "DTEND;VALUE=DATE:20260313",
        "organizer": "ORGANIZER:mailto:visits@journal.example",
        "attendee": f"ATTENDEE;PARTSTAT={partstat}:mailto:scheduling@clinic.example",
        **parts,
    }
    inside = [line for line in lines.values() if line]
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Some program//EN", f"METHOD:{method}"]
    whole = [*head, "BEGIN:VEVENT", *inside, "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(whole).encode()


def timed(start: str, end: str, tzid: str = "") -> dict[str, str]:
    """Return the lines of a time for `answer`: `20260306T100000`, in a zone where ``tzid`` names one."""
    zone = f";TZID={tzid}" if tzid else ""
    return {"start": f"DTSTART{zone}:{start}", "end": f"DTEND{zone}:{end}"}
