"""Entries and filled scales for another system: by when they were felt or changed, a batch at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select

from server.clinical.instruments.catalog import RATED
from server.clinical.vocabulary import Role
from server.models import Entry, QuestionnaireResponse
from server.services import vault
from server.services.errors import NotFound
from server.services.journal.batches import batches
from server.services.work import Work

Spans = Sequence[tuple[datetime | None, datetime | None]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ones. ``felt``, ``changed``: spans in all of which it lies, each from (included) to (not).

    ``first``: the id from which on to read (included). What was taken back is among them, empty: whoever
    copies a diary must learn of it.
    """

    felt: Spans = ()
    changed: Spans = ()
    first: UUID | None = None


EVERYTHING = Wanted()


def entries(work: Work, patient_id: UUID, wanted: Wanted = EVERYTHING) -> Iterator[Entry]:
    """Yield a patient's entries in the order of their ids."""
    query = select(Entry).where(*_wanted(work, patient_id, Entry, wanted))
    for batch in batches(work, query, Entry.id, wanted.first):
        yield from vault.opened(work, batch)


def filled(work: Work, patient_id: UUID, wanted: Wanted = EVERYTHING) -> Iterator[QuestionnaireResponse]:
    """Yield a patient's filled scales in the order of their ids; the patient sees none a clinician rated."""
    query: Select[Any] = select(QuestionnaireResponse).where(
        *_wanted(work, patient_id, QuestionnaireResponse, wanted)
    )
    if work.actor.role is Role.PATIENT:
        query = query.where(QuestionnaireResponse.instrument.not_in(RATED))
    for batch in batches(work, query, QuestionnaireResponse.id, wanted.first):
        yield from vault.opened(work, batch)


def entry(work: Work, patient_id: UUID, entry_id: UUID) -> Entry:
    """Return one entry, also one that was taken back, or raise NotFound."""
    found = work.session.get(Entry, (work.clinic_id, patient_id, entry_id))
    if found is None:
        raise NotFound("entry")
    return vault.opened(work, [found])[0]


def filled_scale(work: Work, patient_id: UUID, response_id: UUID) -> QuestionnaireResponse:
    """Return one filled scale, also one that was taken back, or raise NotFound."""
    found = work.session.get(QuestionnaireResponse, (work.clinic_id, patient_id, response_id))
    hidden = work.actor.role is Role.PATIENT and found is not None and found.instrument in RATED
    if found is None or hidden:
        raise NotFound("questionnaire response")
    return vault.opened(work, [found])[0]


def _wanted(work: Work, patient_id: UUID, table: Any, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield table.clinic_id == work.clinic_id
    yield table.patient_id == patient_id
    # The later of the two: a version that came in after a deletion has none.
    changed = func.coalesce(table.deleted_at, table.received_at)
    for column, spans in ((table.occurred_at, wanted.felt), (changed, wanted.changed)):
        for since, before in spans:
            yield from within(column, since, before)


def within(column: Any, since: datetime | None, before: datetime | None) -> Iterator[ColumnElement[bool]]:
    """Yield what holds for a moment from ``since`` (included) to ``before`` (not); None: no such bound."""
    if since is not None:
        yield column >= since
    if before is not None:
        yield column < before
