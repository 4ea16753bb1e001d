"""Take, correct, delete and read diary entries."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from server.clinical.vocabulary import Source
from server.models import Entry, EntryRevision
from server.services import vault
from server.services.errors import NotFound
from server.services.journal.incoming import Incoming
from server.services.journal.journal import Receipt, open_journal
from server.services.watch import assessment as assessments
from server.services.work import Work


def put(work: Work, patient_id: UUID, incoming: Incoming) -> Receipt:
    """Store an entry and judge its day. Raises as `Journal.store` does."""
    journal = open_journal(work, patient_id, [incoming.id])
    receipt = journal.store(incoming)
    journal.write()
    if receipt.touched:
        assessments.reassess(work, receipt.patient, receipt.touched)
    return receipt


def delete(work: Work, patient_id: UUID, entry_id: UUID, version: int) -> None:
    """Take an entry back and judge its day without it. Raises as `Journal.remove` does."""
    journal = open_journal(work, patient_id, [entry_id])
    assessments.reassess(work, journal.patient, journal.remove(entry_id, version))


def get(work: Work, patient_id: UUID, entry_id: UUID) -> Entry:
    """Return one entry of the patient; a deleted one is not found."""
    entry = work.session.get(Entry, (work.clinic_id, patient_id, entry_id))
    if entry is None or entry.deleted_at is not None:
        raise NotFound("entry")
    vault.opened(work, [entry])
    return entry


def ids_since(work: Work, patient_id: UUID, first: datetime) -> Sequence[UUID]:
    """Return the ids of the entries felt from ``first`` on."""
    query = select(Entry.id).where(
        Entry.clinic_id == work.clinic_id,
        Entry.patient_id == patient_id,
        Entry.occurred_at >= first,
    )
    return list(work.session.scalars(query))


def zones(work: Work, patient_id: UUID, source: Source) -> Sequence[str]:
    """Return the zones of the entries that came from ``source``."""
    query = select(Entry.zone).where(
        Entry.clinic_id == work.clinic_id, Entry.patient_id == patient_id, Entry.source == source
    )
    return sorted(work.session.scalars(query.distinct()))


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
    return vault.opened(work, found)
