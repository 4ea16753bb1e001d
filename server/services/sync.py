"""Push a phone's offline changes and pull what it has not seen, in one call.

One bad item never blocks the rest: each has its own savepoint and its own verdict.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from server.clinical.redflags import RedFlag
from server.clinical.vocabulary import Source
from server.models import Entry
from server.services import assessment as assessments
from server.services import vault
from server.services.errors import Invalid, ServiceError, VersionError
from server.services.journal import Incoming, Journal, open_journal
from server.services.work import Work

log = logging.getLogger(__name__)


class Verdict(StrEnum):
    """What became of one pushed item."""

    CREATED = "created"
    DUPLICATE = "duplicate"
    UPDATED = "updated"
    CONFLICT = "conflict"
    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    RETRY = "retry"


class Action(StrEnum):
    """What a pushed item asks for."""

    PUT = "put"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One item as it was pushed. ``errors`` are the schema's; with any, the item is not looked at.

    ``sent_at`` is the phone's clock when it sent the batch, where it said so.
    """

    id: UUID | None
    action: Action
    base_version: int | None
    content: Mapping[str, Any]
    errors: Sequence[Mapping[str, str]] = ()
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict on one item. ``stored`` is the entry as it is now, where there is one."""

    id: UUID | None
    verdict: Verdict
    stored: Entry | None = None
    flags: tuple[RedFlag, ...] = ()
    errors: Sequence[Mapping[str, str]] = ()
    touched: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Pulled:
    """Entries (deleted ones as tombstones) in the order they were committed, and where that ends."""

    entries: Sequence[Entry]
    sequence: int
    has_more: bool


def push(work: Work, patient_id: UUID, changes: Sequence[Change]) -> Sequence[Result]:
    """Apply ``changes`` in order and return a result for each, in the same order.

    Red flags are acted on item by item; the days touched are judged once, at the end.
    """
    if not changes:
        return []
    journal = open_journal(work, patient_id, [c.id for c in changes if c.id is not None])
    results = [_apply(journal, change) for change in changes]
    touched = frozenset[date]().union(*(result.touched for result in results))
    if touched:
        assessments.reassess(work, journal.patient, touched)
    return results


def pull(work: Work, patient_id: UUID, after: int, size: int) -> Pulled:
    """Return up to ``size`` entries changed after number ``after`` of the patient's change counter.

    Numbers are given under the patient's row lock, so a slow transaction can't be overtaken: what
    has a smaller number is committed before a larger one is given out.
    """
    rows = list(
        work.session.scalars(
            select(Entry)
            .where(Entry.clinic_id == work.clinic_id, Entry.patient_id == patient_id, Entry.sequence > after)
            .order_by(Entry.sequence)
            .limit(size + 1)
        )
    )
    page = vault.opened(work, rows[:size])
    return Pulled(page, page[-1].sequence if page else after, len(rows) > size)


def _apply(journal: Journal, change: Change) -> Result:
    if change.errors:
        return Result(change.id, Verdict.INVALID, errors=change.errors)
    assert change.id is not None, "an item without an id has errors"
    act = _store if change.action is Action.PUT else _remove
    try:
        with journal.work.session.begin_nested():
            return act(journal, change, change.id)
    except VersionError as error:
        stored, said = journal.known[change.id], [{"detail": error.detail}]
        return Result(change.id, Verdict.CONFLICT, stored, errors=said)
    except Invalid as error:
        return Result(change.id, Verdict.INVALID, errors=error.extra["errors"])
    except ServiceError as error:
        return Result(change.id, Verdict.FORBIDDEN, errors=[{"detail": error.detail}])
    except SQLAlchemyError as error:
        log.error("a pushed item could not be stored: %s", type(error).__name__)
        return Result(change.id, Verdict.RETRY, errors=[{"detail": "Not stored. Send it again later."}])


def _store(journal: Journal, change: Change, entry_id: UUID) -> Result:
    incoming = Incoming(entry_id, change.content, change.base_version, Source.APP, change.sent_at)
    receipt = journal.store(incoming)
    journal.known[entry_id] = receipt.entry
    return Result(entry_id, Verdict(receipt.outcome), receipt.entry, receipt.flags, touched=receipt.touched)


def _remove(journal: Journal, change: Change, entry_id: UUID) -> Result:
    """Delete; deleting what is gone, or was never here, has been done already."""
    stored = journal.known.get(entry_id)
    if stored is None or stored.deleted_at is not None:
        return Result(entry_id, Verdict.DUPLICATE)
    touched = journal.remove(entry_id, change.base_version)
    return Result(entry_id, Verdict.UPDATED, stored, touched=touched)
