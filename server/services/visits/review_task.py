"""What a person has to look at between us and a scheduling system: raised once a finding, settled by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import AlertClass, DeliverySubject, ReviewCode
from server.models import Account, BookingSuggestion, ReviewTask
from server.services import vault
from server.services.alerts import rota as rotas
from server.services.asking import insert_once
from server.services.errors import Conflict, NotFound
from server.services.messages import delivery as deliveries
from server.services.messages import quiet
from server.services.messages.delivery import Notice
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.visits import visit_people
from server.services.work import Work

# Told although somebody has been told of another one today.
_AT_ONCE = frozenset({ReviewCode.SAFETY_FIRST})


@dataclass(frozen=True, slots=True)
class Finding:
    """``key`` makes the same finding one task. ``detail``: ids, states and times, never health data."""

    code: ReviewCode
    key: str
    suggestion_id: UUID | None = None
    connection_id: UUID | None = None
    detail: Mapping[str, Any] | None = None


def raise_(work: Work, finding: Finding) -> ReviewTask | None:
    """Put ``finding`` before the coordinators; None where it lies there already.

    They are told once a day as long as anything waits: now where it is the first of today, else by `tell`.
    """
    row = _raised_once(work, finding)
    if row is None:
        return None
    work.audit("review-task.create", _whose(work, row), row.id)
    for person in visit_people.arrangers(work):
        told = _notice(work, row.id, person)
        if deliveries.call(work, person, told) is None and row.code in _AT_ONCE:
            deliveries.call(work, person, replace(told, key=f"review:{row.id}:{person.id}"))
    return row


def _raised_once(work: Work, finding: Finding) -> ReviewTask | None:
    key, detail = (work.clinic_id, uuid7()), dict(finding.detail or {})
    values = {
        "clinic_id": work.clinic_id,
        "id": key[1],
        "key": f"{finding.code}:{finding.key}"[:250],
        "code": finding.code,
        "suggestion_id": finding.suggestion_id,
        "connection_id": finding.connection_id,
        "sealed_detail": vault.seal(work, ReviewTask, key, "detail", detail),
        "created_at": work.now,
    }
    work.session.flush()
    # In one step: of two workers that find the same at the same moment neither fails.
    once = insert_once(ReviewTask, work.session.get_bind().dialect.name).returning(ReviewTask.id)
    if work.session.scalar(once, values) is None:
        return None
    return vault.opened(work, [work.session.get_one(ReviewTask, key)])[0]


def tell(work: Work) -> int:
    """Tell of what waits, each person once a day, in the clinic's hours; return how many messages."""
    if not rotas.hours(work).is_open(work.now):
        return 0
    oldest = _oldest(work)
    if oldest is None:
        return 0
    told = ((person, _notice(work, oldest, person)) for person in visit_people.arrangers(work))
    return sum(deliveries.call(work, person, notice) is not None for person, notice in told)


def page(work: Work, settled: bool, after: UUID | None, size: int) -> Sequence[ReviewTask]:
    """Return tasks in the order they were raised: those that wait, or those that are settled."""
    is_settled = ReviewTask.settled_at.is_not(None) if settled else ReviewTask.settled_at.is_(None)
    query = select(ReviewTask).where(*_of_somebody_here(work), is_settled)
    if after is not None:
        query = query.where(ReviewTask.id > after)
    return vault.opened(work, list(work.session.scalars(query.order_by(ReviewTask.id).limit(size))))


def settle(work: Work, task_id: UUID, note: str) -> ReviewTask:
    """Say what was done about it. Raises NotFound; Conflict where somebody has settled it otherwise."""
    query = select(ReviewTask).where(*_of_somebody_here(work), ReviewTask.id == task_id)
    row = work.session.scalar(query.with_for_update())
    if row is None:
        raise NotFound("review task")
    vault.opened(work, [row])
    if row.settled_at is not None:
        if (row.settled_by, row.note) == (work.actor.account_id, note):
            return row
        raise Conflict("already-settled", "Somebody has settled it already.")
    row.settled_at, row.settled_by = work.now, work.actor.account_id
    vault.put(work, row, "note", note)
    work.session.flush()
    work.audit("review-task.settle", _whose(work, row), row.id)
    return row


def waiting_about(work: Work, suggestion_id: UUID) -> Sequence[ReviewTask]:
    """Return the tasks about one suggestion that nobody has settled, oldest first."""
    query = select(ReviewTask).where(
        ReviewTask.clinic_id == work.clinic_id,
        ReviewTask.suggestion_id == suggestion_id,
        ReviewTask.settled_at.is_(None),
    )
    return vault.opened(work, list(work.session.scalars(query.order_by(ReviewTask.id))))


def _oldest(work: Work) -> UUID | None:
    """Return the task that has waited for longest."""
    waiting = select(ReviewTask.id).where(*_of_somebody_here(work), ReviewTask.settled_at.is_(None))
    return work.session.scalar(waiting.order_by(ReviewTask.id).limit(1))


def _whose(work: Work, row: ReviewTask) -> UUID | None:
    """Return the patient whose visit a task is about; None where it is about no visit that we know."""
    if row.suggestion_id is None:
        return None
    return work.session.get_one(BookingSuggestion, (work.clinic_id, row.suggestion_id)).patient_id


def _of_somebody_here(work: Work) -> tuple[ColumnElement[bool], ...]:
    """Return what holds for the clinic's tasks but those of patients who are about to be erased."""
    theirs = select(BookingSuggestion.id).where(
        BookingSuggestion.clinic_id == work.clinic_id,
        BookingSuggestion.patient_id.in_(patients.leaving(work)),
    )
    is_here = or_(ReviewTask.suggestion_id.is_(None), ReviewTask.suggestion_id.not_in(theirs))
    return ReviewTask.clinic_id == work.clinic_id, is_here


def _notice(work: Work, task_id: UUID, person: Account) -> Notice:
    """Return what ``person`` is told on the clinic's day on which it may be sent: once on that day."""
    at = quiet.released_at(work, person, AlertClass.P2)
    day = at.astimezone(ZoneInfo(clinics.get(work).zone)).date()
    key = f"review:{day.isoformat()}:{person.id}"
    return Notice(key, "review_waits", DeliverySubject.REVIEW, task_id, AlertClass.P2)
