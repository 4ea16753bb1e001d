"""Take, correct, delete and read diary entries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, Select, bindparam, cast, select

from server.models import Entry, EntryRevision
from server.models.sealed import sealed_columns
from server.models.types import JsonText
from server.services import vault
from server.services.asking import of_patient
from server.services.errors import NotFound
from server.services.journal.incoming import Incoming
from server.services.journal.journal import Receipt, open_journal
from server.services.watch import assessment as assessments
from server.services.work import Work

# What a page tells of an entry: whose it is, is known, and the rest is not for people.
_SEALED = {column.column: column for column in sealed_columns(Entry)}
_UNTOLD = {"clinic_id", "patient_id", "day_reliable", "content_hash", "sequence", "deleted_at"}
_SHOWN = {column.key: column for column in Entry.__table__.columns if column.key not in _UNTOLD}
# Under these names; what is sealed, under the name it is opened by.
_NAMES = tuple(_SEALED[key].name if key in _SEALED else key for key in _SHOWN)
_EMPTY = tuple((column.name, column.empty) for column in _SEALED.values())


class ShownEntry(SimpleNamespace):
    """An entry as it is read by people: the columns of `Entry` that are told, and what was sealed, opened.

    A page of whole objects, each watched for changes, cost half as much again.
    """


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


@dataclass(frozen=True, slots=True)
class Range:
    """Which entries to read: days (both included), after which entry, how many."""

    first: date | None
    last: date | None
    after: UUID | None
    size: int


def page(work: Work, patient_id: UUID, wanted: Range) -> Sequence[ShownEntry]:
    """Return entries in the order of their ids (which is that of their making)."""
    bounds = {"first": wanted.first, "last": wanted.last, "after": wanted.after}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    rows = work.rows(_page(frozenset(given)), patient=patient_id, size=wanted.size, **given)
    # Spelled once: what is sealed is bound to its place, and that is text.
    owner = str(work.clinic_id), str(patient_id)
    return [_shown(work, owner, row) for row in rows]


@cache
def _page(given: frozenset[str]) -> Select[*tuple[Any, ...]]:
    """Return the question for a page with the bounds that are ``given``."""
    bounds = {
        "first": Entry.local_day >= bindparam("first"),
        "last": Entry.local_day <= bindparam("last"),
        "after": Entry.id > bindparam("after"),
    }
    wanted = (bound for name, bound in bounds.items() if name in given)
    query = select(*map(_quick, _SHOWN.values())).where(
        *of_patient(Entry), Entry.deleted_at.is_(None), *wanted
    )
    return query.order_by(Entry.id).limit(bindparam("size"))


def _quick(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(column, JsonText) if isinstance(column.type, JSON) else column


def _shown(work: Work, owner: vault.Key, row: Iterable[Any]) -> ShownEntry:
    """Return one row; ``owner`` begins its key."""
    entry = ShownEntry()
    columns = entry.__dict__
    columns.update(zip(_NAMES, row, strict=True))
    sealed = {}
    for name, empty in _EMPTY:
        if columns[name] is None:
            columns[name] = empty()
        else:
            sealed[name] = columns[name]
    if sealed:
        columns.update(vault.opened_values(work, Entry, (*owner, entry.id), sealed))
    return entry


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
