"""Turn a virtual patient into rows of a clinic: registered, treated, and with a diary that came in by day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from jobs.past import Past, dated_id
from server.clinical.vocabulary import Phase, Source
from server.services import local_day as local_days
from server.services.journal.incoming import Incoming
from server.services.people import patient as patients
from server.services.visits import course as courses
from server.services.work import Work
from server.simulator.shapes import SimulatedDay, VirtualPatient

# Interval of maintenance visits of a simulated course, in days [proposal].
SHORTEST_INTERVAL, LONGEST_INTERVAL = 7, 28


@dataclass(frozen=True, slots=True)
class Registration:
    """What a virtual patient needs beside themself: a name for their ids, ``now``, perhaps a clinician."""

    key: str
    country: str
    now: datetime
    clinician_id: UUID | None = None


def register(work: Work, virtual: VirtualPatient, how: Registration) -> Past:
    """Register ``virtual`` and plan the course; return what is still to be written."""
    details = {
        "name": virtual.name,
        "zone": virtual.zone,
        "country": how.country,
        "clinician_id": how.clinician_id,
        "enrolled_at": work.now,
    }
    patient = patients.create(work, details, patient_id(virtual, how.key))
    course = courses.create(
        work,
        patient.id,
        {
            "route": virtual.route,
            "condition": virtual.condition,
            "phase": Phase.INDUCTION,
            "started_on": virtual.sessions[0].day,
            "min_interval_days": SHORTEST_INTERVAL,
            "max_interval_days": LONGEST_INTERVAL,
        },
    )
    zone = ZoneInfo(virtual.zone)
    sessions = [datetime.combine(s.day, time(s.hour), zone) for s in virtual.sessions]
    entries = list(incoming(virtual, how.key))
    until = min(local_days.end(work, virtual.last_day, virtual.zone), how.now)
    return Past(patient.id, virtual.zone, course.id, sessions, entries, until, local_days.start(work))


def patient_id(virtual: VirtualPatient, key: str) -> UUID:
    """Return the id that ``virtual`` is registered with; ``key`` as in `Registration`."""
    return dated_id(beginning(virtual), key, "patient")


def beginning(virtual: VirtualPatient) -> datetime:
    """Return the morning of the first diary day (05:00 where the patient is), in UTC."""
    return datetime.combine(virtual.first_day, time(5), ZoneInfo(virtual.zone)).astimezone(UTC)


def incoming(virtual: VirtualPatient, key: str) -> Iterator[Incoming]:
    """Yield the diary as entries; ``key`` and the moment make their ids."""
    for said in virtual.diary:
        at = datetime.combine(said.day, time(said.hour, said.minute), ZoneInfo(virtual.zone))
        content = _content(said, at, virtual.zone)
        yield Incoming(dated_id(at, key, said.day), content, None, Source.SIMULATOR)


def _content(said: SimulatedDay, at: datetime, zone: str) -> dict[str, object]:
    return {
        "occurred_at": at,
        "zone": zone,
        "items": said.items,
        "side_effects": said.side_effects,
        "safety": said.safety,
        "medication": {},
        "tags": list(said.tags),
        "note": said.note,
    }
