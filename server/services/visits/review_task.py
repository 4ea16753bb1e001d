"""What a person has to look at between us and a scheduling system: raised once a finding, settled by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import AlertClass, DeliverySubject, ReviewCode, Role
from server.models import ReviewTask
from server.services import vault
from server.services.errors import Conflict, NotFound
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.work import Work


@dataclass(frozen=True, slots=True)
class Finding:
    """``key`` makes the same finding one task. ``detail``: ids, states and times, never health data."""

    code: ReviewCode
    key: str
    suggestion_id: UUID | None = None
    connection_id: UUID | None = None
    detail: Mapping[str, Any] | None = None


def raise_(work: Work, finding: Finding) -> ReviewTask | None:
    """Put ``finding`` before the coordinators, who are told once a day; None where it lies there already."""
    key = f"{finding.code}:{finding.key}"[:250]
    taken = select(ReviewTask.id).where(ReviewTask.clinic_id == work.clinic_id, ReviewTask.key == key)
    if work.session.scalar(taken) is not None:
        return None
    row = ReviewTask(
        clinic_id=work.clinic_id,
        id=uuid7(),
        key=key,
        code=finding.code,
        suggestion_id=finding.suggestion_id,
        connection_id=finding.connection_id,
        created_at=work.now,
    )
    vault.put(work, row, "detail", dict(finding.detail or {}))
    work.session.add(row)
    work.session.flush()
    work.audit("review-task.create", object_id=row.id)
    _tell(work, row)
    return row


def page(work: Work, settled: bool, after: UUID | None, size: int) -> Sequence[ReviewTask]:
    """Return tasks in the order they were raised: those that wait, or those that are settled."""
    is_settled = ReviewTask.settled_at.is_not(None) if settled else ReviewTask.settled_at.is_(None)
    query = select(ReviewTask).where(ReviewTask.clinic_id == work.clinic_id, is_settled)
    if after is not None:
        query = query.where(ReviewTask.id > after)
    return vault.opened(work, list(work.session.scalars(query.order_by(ReviewTask.id).limit(size))))


def settle(work: Work, task_id: UUID, note: str) -> ReviewTask:
    """Say what was done about it. Raises NotFound; Conflict where somebody has settled it otherwise."""
    query = select(ReviewTask).where(ReviewTask.clinic_id == work.clinic_id, ReviewTask.id == task_id)
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
    work.audit("review-task.settle", object_id=row.id)
    return row


def waiting_about(work: Work, suggestion_id: UUID) -> Sequence[ReviewTask]:
    """Return the tasks about one suggestion that nobody has settled, oldest first."""
    query = select(ReviewTask).where(
        ReviewTask.clinic_id == work.clinic_id,
        ReviewTask.suggestion_id == suggestion_id,
        ReviewTask.settled_at.is_(None),
    )
    return vault.opened(work, list(work.session.scalars(query.order_by(ReviewTask.id))))


def _tell(work: Work, row: ReviewTask) -> None:
    for person in accounts.recipients(work, {Role.COORDINATOR}):
        told = Notice(
            key=f"review:{work.now:%Y-%m-%d}:{person.id}",
            template="review_waits",
            subject=DeliverySubject.REVIEW,
            subject_id=row.id,
            urgency=AlertClass.P2,
        )
        deliveries.call(work, person, told)
