"""Take, correct, delete and read diary entries. No way in skips the safety check."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from server.clinical import redflags
from server.clinical.redflags import Answers, RedFlag
from server.clinical.vocabulary import Source
from server.models import Entry, EntryRevision, Patient
from server.services import alert as alerts
from server.services import assessment as assessments
from server.services import clinic as clinics
from server.services import patient as patients
from server.services import treatment_session as treatment_sessions
from server.services.civil_time import civil_day
from server.services.errors import Invalid, NotFound, Stale, VersionRequired
from server.services.work import Work

BACKFILL = timedelta(days=30)
AHEAD = timedelta(days=2)
_CONTENT = ("occurred_at", "zone", "items", "side_effects", "safety", "medication", "tags", "note")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One entry on its way in. ``content`` is the loaded body; ``base_version`` the If-Match version."""

    id: UUID
    content: Mapping[str, Any]
    base_version: int | None = None
    source: Source = Source.APP


@dataclass(frozen=True, slots=True)
class Receipt:
    """What happened: created, duplicate or updated; the entry; its red flags; the days to judge again."""

    outcome: str
    entry: Entry
    flags: tuple[RedFlag, ...]
    patient: Patient
    touched: frozenset[date] = frozenset()


def put(work: Work, patient_id: UUID, incoming: Incoming) -> Receipt:
    """Store an entry and judge its day. Raises as `store` does."""
    receipt = store(work, patient_id, incoming)
    if receipt.touched:
        assessments.reassess(work, receipt.patient, receipt.touched)
    return receipt


def store(work: Work, patient_id: UUID, incoming: Incoming) -> Receipt:
    """Store an entry, or recognise it: the same id and content again is a duplicate, for ever.

    Red flags are acted on here; judging the days is left to the caller, who may have more to store.
    Raises Invalid (felt in the future, or too long ago), VersionRequired and Stale (other content
    under an id that exists).
    """
    sequence = patients.next_change(work, patient_id)
    patient = work.session.get_one(Patient, (work.clinic_id, patient_id), populate_existing=True)
    digest = content_hash(incoming.content)
    stored = work.session.get(Entry, (work.clinic_id, patient_id, incoming.id))
    if stored is not None and stored.deleted_at is None and stored.content_hash == digest:
        return Receipt("duplicate", stored, _flags(work, stored), patient)
    _check_moment(work, incoming)
    if stored is None:
        entry, outcome, touched = _insert(work, patient, incoming, sequence), "created", set[date]()
    else:
        touched = {stored.local_day}
        entry, outcome = _correct(work, stored, incoming, sequence), "updated"
    flags = _flags(work, entry)
    for finding in alerts.findings_of(flags, entry):
        alerts.raise_alert(work, patient, finding)
    return Receipt(outcome, entry, flags, patient, frozenset({*touched, entry.local_day}))


def delete(work: Work, patient_id: UUID, entry_id: UUID, version: int) -> None:
    """Take an entry back and judge its day without it. Raises as `remove` does."""
    touched = remove(work, patient_id, entry_id, version)
    assessments.reassess(work, work.session.get_one(Patient, (work.clinic_id, patient_id)), touched)


def remove(work: Work, patient_id: UUID, entry_id: UUID, version: int) -> frozenset[date]:
    """Empty an entry and mark it deleted; its revisions stay. Returns the days to judge again."""
    sequence = patients.next_change(work, patient_id)
    entry = get(work, patient_id, entry_id)
    if entry.version != version:
        raise Stale(entry)
    entry.deleted_at = work.now
    entry.version += 1
    entry.sequence = sequence
    entry.items, entry.side_effects, entry.medication, entry.tags = {}, {}, {}, []
    entry.safety = entry.note = entry.hours_since_session = None
    _keep_revision(work, entry, None)
    work.audit("entry.delete", patient_id, entry_id)
    work.session.flush()
    return frozenset({entry.local_day})


def get(work: Work, patient_id: UUID, entry_id: UUID) -> Entry:
    """Return one entry of the patient; a deleted one is not found."""
    entry = work.session.get(Entry, (work.clinic_id, patient_id, entry_id))
    if entry is None or entry.deleted_at is not None:
        raise NotFound("entry")
    return entry


@dataclass(frozen=True, slots=True)
class Range:
    """Which entries to read: days (both included), after which entry, how many."""

    first: date | None
    last: date | None
    after: UUID | None
    size: int


def page(work: Work, patient_id: UUID, wanted: Range) -> Sequence[Entry]:
    """Return entries in the order of their ids (which is that of their making)."""
    query = select(Entry).where(
        Entry.clinic_id == work.clinic_id, Entry.patient_id == patient_id, Entry.deleted_at.is_(None)
    )
    if wanted.first is not None:
        query = query.where(Entry.local_day >= wanted.first)
    if wanted.last is not None:
        query = query.where(Entry.local_day <= wanted.last)
    if wanted.after is not None:
        query = query.where(Entry.id > wanted.after)
    return list(work.session.scalars(query.order_by(Entry.id).limit(wanted.size)))


def revisions(work: Work, patient_id: UUID, entry_id: UUID) -> Sequence[EntryRevision]:
    """Return every version an entry ever had, first to last, also of a deleted one."""
    query = select(EntryRevision).where(
        EntryRevision.clinic_id == work.clinic_id,
        EntryRevision.patient_id == patient_id,
        EntryRevision.entry_id == entry_id,
    )
    found = list(work.session.scalars(query.order_by(EntryRevision.version)))
    if not found:
        raise NotFound("entry")
    return found


def content_hash(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what an entry says, the same whatever order its members came in."""
    return hashlib.sha256(json.dumps(plain(content), sort_keys=True).encode()).hexdigest()


def plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's content as JSON values: moments with their offset, codes as text."""
    found = {key: content.get(key) for key in _CONTENT}
    return {key: v.isoformat() if isinstance(v, datetime) else v for key, v in found.items()}


def _check_moment(work: Work, incoming: Incoming) -> None:
    occurred = incoming.content["occurred_at"]
    if occurred > work.now + AHEAD:
        raise Invalid("/occurred_at", "Lies in the future.")
    if incoming.source is Source.APP and occurred < work.now - BACKFILL:
        raise Invalid("/occurred_at", f"Lies more than {BACKFILL.days} days back.")


def _insert(work: Work, patient: Patient, incoming: Incoming, sequence: int) -> Entry:
    values = _columns(work, patient.id, incoming) | {
        "clinic_id": work.clinic_id,
        "patient_id": patient.id,
        "id": incoming.id,
        "version": 1,
        "source": incoming.source,
        "sequence": sequence,
    }
    # Core instead of the unit of work: this is the hottest write of the system.
    work.session.execute(insert(Entry).values(**values))
    entry = Entry(**values)
    _keep_revision(work, entry, plain(incoming.content))
    work.audit("entry.create", patient.id, incoming.id)
    return entry


def _correct(work: Work, stored: Entry, incoming: Incoming, sequence: int) -> Entry:
    if incoming.base_version is None:
        raise VersionRequired(stored)
    if incoming.base_version != stored.version:
        raise Stale(stored)
    for key, value in _columns(work, stored.patient_id, incoming).items():
        setattr(stored, key, value)
    stored.version += 1
    stored.sequence = sequence
    stored.deleted_at = None
    _keep_revision(work, stored, plain(incoming.content))
    work.audit("entry.update", stored.patient_id, stored.id)
    work.session.flush()
    return stored


def _columns(work: Work, patient_id: UUID, incoming: Incoming) -> dict[str, Any]:
    content = incoming.content
    occurred = content["occurred_at"]
    return {
        "occurred_at": occurred,
        "zone": content["zone"],
        "local_day": civil_day(occurred, content["zone"]),
        "recorded_at": content.get("recorded_at"),
        "received_at": work.now,
        "items": dict(content["items"]),
        "side_effects": dict(content["side_effects"]),
        "hours_since_session": treatment_sessions.hours_since(work, patient_id, occurred),
        "safety": content.get("safety"),
        "medication": dict(content["medication"]),
        "tags": list(content["tags"]),
        "note": content.get("note"),
        "content_hash": content_hash(content),
    }


def _keep_revision(work: Work, entry: Entry, content: dict[str, Any] | None) -> None:
    values = {
        "clinic_id": entry.clinic_id,
        "patient_id": entry.patient_id,
        "entry_id": entry.id,
        "version": entry.version,
        "content": content,
        "received_at": work.now,
        "account_id": work.actor.account_id,
    }
    work.session.execute(insert(EntryRevision).values(**values))


def _flags(work: Work, entry: Entry) -> tuple[RedFlag, ...]:
    answers = Answers(
        safety=entry.safety,
        side_effects=entry.side_effects,
        items=entry.items,
        hours_since_session=entry.hours_since_session,
    )
    return redflags.check(answers, clinics.policy(work))
