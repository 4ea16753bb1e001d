"""Messages of scheduling systems: kept once whoever sends them twice, then followed by a question there.

A message is a hint. What it points at is asked for again, so one that is late, doubled or out of order
leads to what is so now and to nothing else.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.clinical.visit import RawEvent
from server.clinical.visit import SchedulingEvent as Pointer
from server.clinical.vocabulary import ConnectionKind, EventState, ReviewCode
from server.keys.sealing import SealError
from server.models import SchedulingConnection, SchedulingCopy, SchedulingEvent
from server.services import vault
from server.services.asking import insert_once
from server.services.job_run import AHEAD
from server.services.visits import review_task as review_tasks
from server.services.visits import scheduling_copy as scheduling_copies
from server.services.visits.review_task import Finding
from server.services.work import Work, system


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """One message to be read, and by which adapter. ``raw``: None where it does not open."""

    clinic_id: UUID
    connection_id: UUID
    event_id: str
    kind: ConnectionKind
    config: Mapping[str, Any]
    raw: RawEvent | None


def receive(work: Work, connection_id: UUID, event_id: str, raw: RawEvent) -> bool:
    """Keep a message whose signature is good; False where it is known already."""
    key = (work.clinic_id, connection_id, event_id)
    kept = {"headers": dict(raw.headers), "body": b64encode(raw.body).decode()}
    values = {
        "clinic_id": work.clinic_id,
        "connection_id": connection_id,
        "event_id": event_id,
        "sealed_raw": vault.seal(work, SchedulingEvent, key, "raw", kept),
        "state": EventState.QUEUED,
        "received_at": work.now,
        "due_at": work.now,
        "attempt": 0,
    }
    # In one step: a sender that waits for no answer may send it twice at once.
    once = insert_once(SchedulingEvent, work.session.get_bind().dialect.name)
    return work.session.scalar(once.returning(SchedulingEvent.event_id), values) is not None


def queued(session: Session, now: datetime, limit: int) -> Sequence[QueuedEvent]:
    """Return messages of any clinic that nobody has looked at, oldest first."""
    query = (
        select(SchedulingEvent)
        # What an API's clock that is ahead has dated can be followed all the same.
        .where(
            SchedulingEvent.state == EventState.QUEUED,
            or_(SchedulingEvent.due_at <= now, SchedulingEvent.received_at > now + AHEAD),
        )
        .order_by(SchedulingEvent.due_at, SchedulingEvent.event_id)
        .limit(limit)
    )
    return [_queued(Work(session, now, system(row.clinic_id)), row) for row in session.scalars(query)]


def follow(work: Work, event: QueuedEvent, pointers: Sequence[Pointer]) -> EventState:
    """See that what a message points at is asked for; what nobody knows here, a person looks at."""
    row = _locked(work, event)
    if row is None or row.state is not EventState.QUEUED:
        return EventState.IGNORED  # another worker was first
    copies = [_copy(work, event, pointer) for pointer in pointers]
    for pointer, copy in zip(pointers, copies, strict=True):
        if copy is None:
            _nobody_knows(work, event, pointer)
        else:
            scheduling_copies.ask(copy, work.now)
            row.suggestion_id = copy.suggestion_id
    return _end(row, EventState.REVIEW if None in copies else EventState.APPLIED, "followed")


def unreadable(work: Work, event: QueuedEvent) -> EventState:
    """Put by a message that its adapter can't read; a person looks, unless its clinic was closed."""
    row = _locked(work, event)
    if row is None or row.state is not EventState.QUEUED:
        return EventState.IGNORED
    key = f"{event.connection_id}:{event.event_id}"
    with suppress(SealError):  # without its keys nobody could read what is to be looked at
        review_tasks.raise_(work, Finding(ReviewCode.UNREADABLE, key, None, event.connection_id))
    return _end(row, EventState.REVIEW, "unreadable")


def page(work: Work, connection_id: UUID, after: str | None, size: int) -> Sequence[SchedulingEvent]:
    """Return messages of one system in the order of their ids, for whoever looks for a lost one."""
    query = select(SchedulingEvent).where(
        SchedulingEvent.clinic_id == work.clinic_id, SchedulingEvent.connection_id == connection_id
    )
    if after is not None:
        query = query.where(SchedulingEvent.event_id > after)
    return list(work.session.scalars(query.order_by(SchedulingEvent.event_id).limit(size)))


def _queued(work: Work, row: SchedulingEvent) -> QueuedEvent:
    connection = work.session.get_one(SchedulingConnection, (row.clinic_id, row.connection_id))
    found = partial(QueuedEvent, row.clinic_id, row.connection_id, row.event_id, connection.kind)
    try:
        vault.opened(work, [row])
        vault.opened(work, [connection])
        return found(connection.config, RawEvent(b64decode(row.raw["body"]), row.raw["headers"]))
    except (SealError, ValueError, LookupError, TypeError):
        return found({}, None)  # what was sealed does not open, or is no message


def _locked(work: Work, event: QueuedEvent) -> SchedulingEvent | None:
    key = (event.clinic_id, event.connection_id, event.event_id)
    return work.session.get(SchedulingEvent, key, with_for_update=True, populate_existing=True)


def _copy(work: Work, event: QueuedEvent, pointer: Pointer) -> SchedulingCopy | None:
    if pointer.suggestion_id is not None:
        return scheduling_copies.at(work, event.connection_id, pointer.suggestion_id)
    if pointer.external_id is None:
        return None
    return scheduling_copies.by_external_id(work, event.connection_id, pointer.external_id)


def _nobody_knows(work: Work, event: QueuedEvent, pointer: Pointer) -> None:
    named = pointer.external_id or str(pointer.suggestion_id)
    key = f"{event.connection_id}:{named}"
    detail = {"external_id": named, "event_id": event.event_id}
    review_tasks.raise_(work, Finding(ReviewCode.UNKNOWN_ID, key, None, event.connection_id, detail))


def _end(row: SchedulingEvent, state: EventState, verdict: str) -> EventState:
    row.state, row.verdict, row.sealed_raw = state, verdict, None
    return state
