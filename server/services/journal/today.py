"""Today: the truth of what is due now for a patient, and who reads it when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from server.clinical.checkins import Occurrence
from server.clinical.crisis_lines import CrisisLine, CrisisLines, Directory
from server.clinical.patient_text import TEXTS
from server.clinical.vocabulary import Language
from server.models import Patient
from server.services import local_day as local_days
from server.services.alerts import rota as rotas
from server.services.journal import occurrence as occurrences
from server.services.journal import planning
from server.services.journal import reminder as reminders
from server.services.people import clinic as clinics
from server.services.people import notice as notices
from server.services.people import patient as patients
from server.services.visits import offered_visit as offered_visits
from server.services.work import Work


@dataclass(frozen=True, slots=True)
class Due:
    """One occurrence: ``until`` (UTC) is when it can no longer be done, by the rule that is enforced."""

    key: str
    instrument: str | None
    day: date
    until: datetime
    done: bool


@dataclass(frozen=True, slots=True)
class WatchHours:
    """Who reads the diary and when. ``next_read_local`` is on the patient's own clock, without offset.

    ``armed``: whether the clinic has armed its monitoring; else nobody has promised to read.
    """

    text: str
    armed: bool
    reads_now: bool
    next_read_at: datetime
    next_read_local: datetime


@dataclass(frozen=True, slots=True)
class Crisis:
    """Whom to call, and when somebody last made sure of this country's lines."""

    text: str
    emergency_number: str
    crisis_lines: tuple[str, ...]
    lines: tuple[CrisisLine, ...]
    reviewed_on: date


@dataclass(frozen=True, slots=True)
class NextVisit:
    """The booked visit that comes next."""

    id: UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Today:
    """The patient's day. ``next_reminder_at``: the reminder that comes next if nothing changes.

    ``asks_safety_question``: whether the clinic has the app show it; an answer is heeded either way.
    """

    local_day: date
    zone: str
    day_ends_at: datetime
    occurrences: Sequence[Due]
    asks_safety_question: bool
    next_reminder_at: datetime | None
    watch: WatchHours
    crisis: Crisis
    next_visit: NextVisit | None


def read(work: Work, patient_id: UUID, directory: Directory, language: Language) -> Today:
    """Return the patient's today, or raise NotFound. Reading it changes nothing.

    ``language``: of what is said about danger and about who reads the diary.
    """
    patient, clinic = patients.get(work, patient_id), clinics.get(work)
    plan = planning.plan_of(work, patient)
    day = local_days.of(work, work.now, patient.zone)
    ahead = reminders.looks(work, patient, plan)
    outlook = occurrences.outlook(work, patient, {day, *ahead.days}, plan)
    return Today(
        local_day=day,
        zone=patient.zone,
        day_ends_at=local_days.end(work, day, patient.zone),
        occurrences=[_due(work, (o, o.key in outlook.done), patient.zone) for o in outlook.open[day]],
        asks_safety_question=clinic.asks_safety_question,
        next_reminder_at=reminders.coming(work, patient, ahead, outlook),
        watch=_watch_hours(work, patient, language),
        crisis=_crisis(directory.near(patient.country, patient.zone), language),
        next_visit=_next_visit(work, patient_id),
    )


def _due(work: Work, what: tuple[Occurrence, bool], zone: str) -> Due:
    occurrence, done = what
    until = local_days.end(work, occurrence.last_day, zone)
    return Due(occurrence.key, occurrence.instrument, occurrence.day, until, done)


def _next_visit(work: Work, patient_id: UUID) -> NextVisit | None:
    found = offered_visits.next_booked(work, patient_id)
    if found is None or found.starts_at is None:
        return None
    ends_at = found.ends_at or found.starts_at + timedelta(minutes=found.minutes)
    return NextVisit(found.id, found.starts_at, ends_at)


def _watch_hours(work: Work, patient: Patient, language: Language) -> WatchHours:
    rota = rotas.of(work)
    hours, armed = rotas.hours(work), rota.armed_at is not None
    zone, reads = patient.zone, armed and patient.team_withdrawn_at is None
    at = hours.next_opening(work.now)
    return WatchHours(
        text=notices.who_reads(work, patient, language),
        armed=armed,
        reads_now=reads and hours.is_open(work.now),
        next_read_at=at,
        next_read_local=at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0),
    )


def _crisis(found: CrisisLines, language: Language) -> Crisis:
    return Crisis(
        text=TEXTS[language].no_emergency_service,
        emergency_number=found.emergency,
        crisis_lines=found.texts,
        lines=found.lines,
        reviewed_on=found.reviewed_on,
    )
