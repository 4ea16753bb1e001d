"""Everything a patient reported, as plain JSON values that an empty server can take back.

Ids of entries are kept (the phone made them). Courses and sessions are the clinic's and have none:
a session names its course by its place in the list. What the watch concluded is not the patient's
report and is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.clinical.vocabulary import SessionStatus
from server.models import Course, Entry, EntryRevision, TreatmentSession
from server.services import patient as patients
from server.services.civil_time import civil_day
from server.services.work import Work

FORMAT, FORMAT_VERSION = "afterglow-export", 1
Rows = list[dict[str, Any]]


def collect(work: Work, patient_id: UUID, contract_version: str) -> dict[str, Any]:
    """Return the whole export, and record that it was made. Raises NotFound for the patient."""
    patient = patients.get(work, patient_id)
    work.audit("export.read", patient_id)
    sections = {name: read(work, patient_id) for name, read in SECTIONS.items()}
    counts = {name: len(rows) for name, rows in sections.items()}
    revisions = sum(len(entry["revisions"]) for entry in sections["entries"])
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "contract_version": contract_version,
        "exported_at": work.now.isoformat(),
        "patient": {
            "name": patient.name,
            "birth_year": patient.birth_year,
            "zone": patient.zone,
            "country": patient.country,
        },
        "counts": {**counts, "revisions": revisions},
        **sections,
    }


def _entries(work: Work, patient_id: UUID) -> Rows:
    mine = select(EntryRevision).where(
        EntryRevision.clinic_id == work.clinic_id, EntryRevision.patient_id == patient_id
    )
    ordered = work.session.scalars(mine.order_by(EntryRevision.entry_id, EntryRevision.version))
    history = {key: list(group) for key, group in groupby(ordered, lambda revision: revision.entry_id)}
    entries = select(Entry).where(Entry.clinic_id == work.clinic_id, Entry.patient_id == patient_id)
    return [_entry(entry, history[entry.id]) for entry in work.session.scalars(entries.order_by(Entry.id))]


def _entry(entry: Entry, history: Sequence[EntryRevision]) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "source": entry.source.value,
        "recorded_at": entry.recorded_at.isoformat() if entry.recorded_at else None,
        "revisions": [
            {
                "version": revision.version,
                "received_at": revision.received_at.isoformat(),
                "local_day": _day(revision.content),
                "content": revision.content,
            }
            for revision in history
        ],
    }


def _day(content: Mapping[str, Any] | None) -> str | None:
    if content is None:
        return None
    return civil_day(datetime.fromisoformat(content["occurred_at"]), content["zone"]).isoformat()


def _courses(work: Work, patient_id: UUID) -> Rows:
    return [
        {
            "route": course.route.value,
            "condition": course.condition.value,
            "phase": course.phase.value,
            "started_on": course.started_on.isoformat(),
            "ended_on": course.ended_on.isoformat() if course.ended_on else None,
            "min_interval_days": course.min_interval_days,
            "max_interval_days": course.max_interval_days,
        }
        for course in _planned(work, patient_id)
    ]


def _sessions(work: Work, patient_id: UUID) -> Rows:
    places = {course.id: place for place, course in enumerate(_planned(work, patient_id))}
    query = select(TreatmentSession).where(
        TreatmentSession.clinic_id == work.clinic_id,
        TreatmentSession.patient_id == patient_id,
        TreatmentSession.status != SessionStatus.CANCELLED,
    )
    found = list(work.session.scalars(query))
    found.sort(key=lambda session: (session.at, places[session.course_id]))
    return [
        {
            "course": places[session.course_id],
            "at": session.at.isoformat(),
            "status": session.status.value,
            "route": session.route.value,
        }
        for session in found
    ]


def _planned(work: Work, patient_id: UUID) -> Sequence[Course]:
    query = select(Course).where(Course.clinic_id == work.clinic_id, Course.patient_id == patient_id)
    return list(work.session.scalars(query.order_by(Course.started_on, Course.id)))


# A further noun that patients report is one line here, and one in the file's reader.
SECTIONS: Mapping[str, Callable[[Work, UUID], Rows]] = {
    "entries": _entries,
    "courses": _courses,
    "treatment_sessions": _sessions,
}
