"""Everything a patient reported, as plain JSON values that an empty server can take back.

Ids of entries are kept (the phone made them). Courses and sessions are the clinic's and have none:
a session names its course by its place in the list. The clock of the phone is that of the last version
that was sent; a score is for the reader and is made again. What the watch concluded is not the
patient's report and is left out.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from server.clinical import substance_use
from server.clinical.instruments.catalog import RATED
from server.clinical.vocabulary import Purpose, Sensitivity, SessionStatus, Source
from server.models import (
    Course,
    Entry,
    EntryRevision,
    QuestionnaireResponse,
    QuestionnaireResponseRevision,
    TreatmentSession,
)
from server.services import local_day as local_days
from server.services import tally, vault
from server.services.cap import EXPORT
from server.services.journal import check_in_plan as check_in_plans
from server.services.journal.batches import batches
from server.services.people import consent as consents
from server.services.people import patient as patients
from server.services.people import zone_change as zone_changes
from server.services.work import Work

FORMAT, FORMAT_VERSION = "afterglow-export", 2
Rows = Iterator[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Export:
    """``head``: what stands once. ``sections``: rows by name, each to be read once, in this order.

    Rows are read while they are taken, a batch at a time.
    """

    head: Mapping[str, Any]
    sections: Mapping[str, Rows]


def record(work: Work, patient_id: UUID) -> None:
    """Record that an export is made.

    Raises NotFound for the patient, Withheld without their consent, TooMany where there were many.
    """
    patients.get(work, patient_id)
    consents.require(work, patient_id, Purpose.EXPORT)
    count(work)
    work.audit("export.read", patient_id)


def count(work: Work) -> None:
    """Count one export of the actor's account; raises TooMany."""
    tally.take(work.session, work.now, EXPORT, str(work.actor.account_id))


def gather(work: Work, patient_id: UUID, contract_version: str) -> Export:
    """Return the whole export. ``work`` is one snapshot that lasts until the last row was taken."""
    patient = patients.get(work, patient_id)
    head = {
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
        **marks(consents.allows(work, patient_id, Purpose.SUBSTANCE_USE)),
        "check_in_plan": check_in_plans.content(check_in_plans.get(work, patient_id)),
    }
    return Export(head, {name: read(work, patient_id) for name, read in SECTIONS.items()})


def marks(with_substance_use: bool) -> dict[str, Any]:
    """Return what a file says of substance use in it: that it was left out, or that it must stay with it."""
    return {
        "substance_use": "included" if with_substance_use else "left_out",
        "redisclosure_notice": substance_use.REDISCLOSURE if with_substance_use else None,
    }


def _entries(work: Work, patient_id: UUID) -> Rows:
    agreed = consents.allows(work, patient_id, Purpose.SUBSTANCE_USE)
    for batch in batches(work, _own(work, patient_id, Entry), Entry.id):
        kept = _own(work, patient_id, EntryRevision).order_by(EntryRevision.entry_id, EntryRevision.version)
        history = _history(work, kept, EntryRevision.entry_id, batch)
        for entry in batch:
            row = _reported(work, entry, history[entry.id])
            yield row if agreed else row | {"revisions": [_bare(one) for one in row["revisions"]]}


def _responses(work: Work, patient_id: UUID) -> Rows:
    """Yield filled scales, also those the clinic typed in; what a clinician rated is left out.

    So is what the clinic took back, which may be somebody else's, and so are scales about substance use,
    unless the patient agreed to have them in it.
    """
    revision = QuestionnaireResponseRevision
    response = QuestionnaireResponse
    mine = _own(work, patient_id, response).where(
        response.instrument.not_in(RATED),
        or_(response.source != Source.CLINIC, response.deleted_at.is_(None)),
    )
    if not consents.allows(work, patient_id, Purpose.SUBSTANCE_USE):
        mine = mine.where(QuestionnaireResponse.sensitivity == Sensitivity.ORDINARY)
    for batch in batches(work, mine, QuestionnaireResponse.id):
        kept = _own(work, patient_id, revision).order_by(revision.response_id, revision.version)
        history = _history(work, kept, revision.response_id, batch)
        yield from (_reported(work, one, history[one.id]) | {"score": _score(one)} for one in batch)


def _history(work: Work, query: Any, key: Any, batch: Sequence[Any]) -> Mapping[UUID, Sequence[Any]]:
    """Return every version of the rows of ``batch``, by the row's id."""
    kept = list(work.session.scalars(query.where(key.in_([one.id for one in batch]))))
    found: dict[UUID, list[Any]] = defaultdict(list)
    for revision in vault.opened(work, kept):
        found[getattr(revision, key.key)].append(revision)
    return found


def _score(response: QuestionnaireResponse) -> dict[str, Any] | None:
    if response.deleted_at is not None:
        return None
    return {
        "total": response.total,
        "subscores": response.subscores,
        "prorated": response.prorated,
        "missing": response.missing,
    }


def _own(work: Work, patient_id: UUID, model: Any) -> Any:
    return select(model).where(model.clinic_id == work.clinic_id, model.patient_id == patient_id)


def _reported(work: Work, entry: Entry | QuestionnaireResponse, history: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "source": entry.source.value,
        "recorded_at": entry.recorded_at.isoformat() if entry.recorded_at else None,
        "clock_skew_seconds": entry.clock_skew_seconds,
        "clock_suspect": entry.clock_suspect,
        "revisions": [
            {
                "version": revision.version,
                "received_at": revision.received_at.isoformat(),
                "local_day": _day(work, entry, revision),
                "content": revision.content,
            }
            for revision in history
        ],
    }


def _bare(revision: dict[str, Any]) -> dict[str, Any]:
    content = None if revision["content"] is None else substance_use.without(revision["content"])
    if content is not None and not content.get("side_effect_onset"):
        content.pop("side_effect_onset", None)  # an entry without any has no such member
    return revision | {"content": content}


def _day(work: Work, entry: Entry | QuestionnaireResponse, revision: Any) -> str | None:
    """Return the local day of a version; that of the moment and zone that hold is the one they were given."""
    if revision.content is None:
        return None
    at, zone = datetime.fromisoformat(revision.content["occurred_at"]), revision.content["zone"]
    if (at, zone) == (entry.occurred_at, entry.zone):
        return entry.local_day.isoformat()
    return local_days.of(work, at, zone).isoformat()


def _courses(work: Work, patient_id: UUID) -> Rows:
    for course in _planned(work, patient_id):
        yield {
            "route": course.route.value,
            "condition": course.condition.value,
            "phase": course.phase.value,
            "started_on": course.started_on.isoformat(),
            "ended_on": course.ended_on.isoformat() if course.ended_on else None,
            "min_interval_days": course.min_interval_days,
            "max_interval_days": course.max_interval_days,
        }


def _sessions(work: Work, patient_id: UUID) -> Rows:
    places = {course.id: place for place, course in enumerate(_planned(work, patient_id))}
    query = select(TreatmentSession).where(
        TreatmentSession.clinic_id == work.clinic_id,
        TreatmentSession.patient_id == patient_id,
        TreatmentSession.status != SessionStatus.CANCELLED,
    )
    found = list(work.session.scalars(query))
    found.sort(key=lambda session: (session.at, places[session.course_id]))
    for session in found:
        yield {
            "course": places[session.course_id],
            "at": session.at.isoformat(),
            "status": session.status.value,
            "route": session.route.value,
        }


def _planned(work: Work, patient_id: UUID) -> Sequence[Course]:
    query = select(Course).where(Course.clinic_id == work.clinic_id, Course.patient_id == patient_id)
    return list(work.session.scalars(query.order_by(Course.started_on, Course.id)))


def _zone_changes(work: Work, patient_id: UUID) -> Rows:
    for one in zone_changes.history(work, patient_id):
        yield {"zone": one.zone, "since": one.since.isoformat(), "recorded_at": one.recorded_at.isoformat()}


# A further noun that patients report is one line here, and one in the file's reader.
SECTIONS: Mapping[str, Callable[[Work, UUID], Rows]] = {
    "entries": _entries,
    "questionnaire_responses": _responses,
    "courses": _courses,
    "treatment_sessions": _sessions,
    "zone_changes": _zone_changes,
}
