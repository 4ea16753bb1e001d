"""What became of a message: recorded under its lease, or reported by the provider later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.clinical.lifecycle import DELIVERY_MOVES, DeliveryAction, move
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState, DeliverySubject, Role
from server.models import Delivery
from server.services import apart
from server.services.messages import contact_point as contact_points
from server.services.messages import delivery as deliveries
from server.services.messages import delivery_loss, operations, retry
from server.services.messages.delivery import Notice
from server.services.messages.delivery_loss import DEFECT, MOST_DEFECTS, MOST_ENDED
from server.services.messages.outbox import Claimed
from server.services.people import account as accounts
from server.services.work import Work, system

# Proposal: a telephone that is switched on reports within seconds, and a person is told another way soon.
REPORT_WITHIN = timedelta(minutes=5)
UNKNOWN_TEXT = "unknown_template"


@dataclass(frozen=True, slots=True)
class Taken:
    """It was taken. ``delivered``: by the destination itself. ``reports``: a report is promised."""

    delivered: bool = False
    reference: str | None = None
    reports: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not taken. ``reason`` is a short code.

    ``permanent``: trying again can't help. ``retry_after``: how long the far end asks us to wait.
    ``gone``: the destination is dead for ever. ``in_doubt``: it may have arrived, the answer was lost.
    """

    reason: str
    permanent: bool = False
    retry_after: timedelta | None = None
    gone: bool = False
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Returned:
    """It was not tried: whoever had it in hand has to stop. It is due at once, and no try is counted."""


Outcome = Taken | Refused | Returned


def finish(session: Session, now: datetime, claimed: Claimed, outcome: Outcome) -> bool:
    """Record what became of ``claimed`` and of all that went out with it.

    Return False, and change nothing, where the lease was lost to another worker meanwhile.
    """
    rows = _locked(session, claimed)
    if not rows or rows[0].state is not DeliveryState.CLAIMED or rows[0].attempt != claimed.attempt:
        return False
    work = Work(session, now, system(claimed.clinic_id))
    if isinstance(outcome, Taken):
        for row in rows:
            _taken(row, now, outcome)
    elif isinstance(outcome, Returned):
        for row in rows:
            _give_back(row, now)
    else:
        _refused(work, rows, outcome)
    session.flush()
    return True


def report(session: Session, now: datetime, delivery_id: UUID, arrived: bool) -> bool:
    """Record what the provider says became of a message it took. False where we never sent such a one.

    Of a very large bundle that failed the job calls the rest unknown, a few at a time.
    """
    head = session.scalar(select(Delivery).where(Delivery.id == delivery_id))
    if head is None or head.attempt == 0:
        return False
    action = DeliveryAction.DELIVER if arrived else DeliveryAction.FAIL
    for place, row in enumerate(_with_bundle(session, head)):
        before, work = row.state, Work(session, now, system(row.clinic_id))
        if move(DELIVERY_MOVES, before, action) is before:
            continue  # reported before, or a failure after it had arrived
        if arrived:
            row.state = move(DELIVERY_MOVES, before, action)
            row.finished_at, row.report_by, row.failure, row.lease_until = now, None, None, None
        elif place < MOST_ENDED:
            delivery_loss.end(work, row, "reported_failed", action)
        else:
            row.report_by = now
    session.flush()
    return True


def missed_reports(session: Session, now: datetime, limit: int = MOST_ENDED) -> int:
    """Call unknown what was taken and promised a report that never came; return how many.

    Whoever should have heard is told another way. One over which that fails is looked at again later.
    """
    query = (
        select(Delivery)
        .where(Delivery.state == DeliveryState.ACCEPTED, Delivery.report_by <= now)
        .order_by(Delivery.report_by, Delivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = list(session.scalars(query))
    for row in rows:
        failed = f"delivery {row.id} of clinic {row.clinic_id} can't be called unknown"
        if apart.alone(session, failed, partial(_miss, session, now, row)) is None:
            row.report_by = now + REPORT_WITHIN
    session.flush()
    return len(rows)


def _miss(session: Session, now: datetime, row: Delivery) -> bool:
    row.report_by = None
    delivery_loss.end(Work(session, now, system(row.clinic_id)), row, "no_report", DeliveryAction.MISS)
    return True


def _taken(row: Delivery, now: datetime, outcome: Taken) -> None:
    action = DeliveryAction.DELIVER if outcome.delivered else DeliveryAction.ACCEPT
    row.state = move(DELIVERY_MOVES, row.state, action)
    row.finished_at, row.lease_until, row.failure = now, None, None
    row.reference, row.sealed_secret = outcome.reference, None
    row.report_by = now + REPORT_WITHIN if outcome.reports else None


def _refused(work: Work, rows: Sequence[Delivery], outcome: Refused) -> None:
    head = rows[0]
    worn_out = retry.gives_up(head.channel, work.now - _tried_since(head))
    if outcome.gone or (worn_out and head.channel is Channel.WEBHOOK and not _takes_others(work, head)):
        _retire(work, head, outcome.reason)
    if outcome.permanent or outcome.gone or worn_out or _is_poison(head, outcome):
        if _is_poison(head, outcome):
            operations.poison(work.session, work.now, head.channel, outcome.reason)
        for row in rows[MOST_ENDED:]:
            _go_on(row, work.now, outcome.reason)
        for row in reversed(rows[:MOST_ENDED]):  # the head last: it frees what is left of its bundle
            delivery_loss.end(work, row, outcome.reason)
        return
    for row in rows:
        _put_back(row, work.now, outcome)


def _retire(work: Work, head: Delivery, why: str) -> None:
    """Use a dead destination no more. That a webhook was switched off, the clinic's admins must hear."""
    if head.contact_id is None:
        return
    was_in_use = contact_points.retire(work.session, head.clinic_id, head.contact_id, work.now, why)
    if not was_in_use or head.channel is not Channel.WEBHOOK:
        return
    for admin in accounts.recipients(work, {Role.CLINIC_ADMIN}):
        # Each time it is: once mended and switched on again, it may fail anew.
        key = f"endpoint_disabled:{head.contact_id}:{work.now:%Y%m%dT%H%M%S}:{admin.id}"
        told = Notice(key, "endpoint_disabled", DeliverySubject.ROTA, head.contact_id, AlertClass.P1)
        deliveries.call(work, admin, told)


def _tried_since(row: Delivery) -> datetime:
    return row.tried_since or row.created_at


def _takes_others(work: Work, head: Delivery) -> bool:
    """Say whether an endpoint took something else meanwhile: then one event is the trouble, not it."""
    taken = select(Delivery.id).where(
        Delivery.clinic_id == head.clinic_id,
        Delivery.contact_id == head.contact_id,
        Delivery.state == DeliveryState.DELIVERED,
        Delivery.finished_at > _tried_since(head),
    )
    return work.session.scalar(taken.limit(1)) is not None


def _put_back(row: Delivery, now: datetime, outcome: Refused) -> None:
    action = DeliveryAction.DOUBT if outcome.in_doubt else DeliveryAction.RETRY
    row.state = move(DELIVERY_MOVES, row.state, action)
    wait = retry.pause(row.channel, row.attempt - row.tries_before, row.urgency, row.bundle_id or row.id)
    row.due_at = now + max(wait, outcome.retry_after or timedelta())
    row.lease_until, row.failure = None, outcome.reason


def _go_on(row: Delivery, now: datetime, failure: str) -> None:
    """Let a row of a large bundle be claimed again at once, with the others that are left of it."""
    row.state = move(DELIVERY_MOVES, row.state, DeliveryAction.RETRY)
    row.due_at, row.lease_until, row.failure = now, None, failure


def _give_back(row: Delivery, now: datetime) -> None:
    row.state = move(DELIVERY_MOVES, row.state, DeliveryAction.RETRY)
    row.due_at, row.lease_until, row.tries_before = now, None, row.tries_before + 1


def _is_poison(head: Delivery, outcome: Refused) -> bool:
    """Say whether it is we who can't send it, however often we try."""
    if outcome.reason == UNKNOWN_TEXT:
        return True
    return outcome.reason.startswith(DEFECT) and head.attempt - head.tries_before >= MOST_DEFECTS


def _locked(session: Session, claimed: Claimed) -> Sequence[Delivery]:
    """Return the claimed delivery and its bundle, locked, itself first."""
    query = (
        select(Delivery)
        .where(Delivery.clinic_id == claimed.clinic_id)
        .where(or_(Delivery.id == claimed.id, Delivery.bundle_id == claimed.id))
        .order_by(Delivery.id != claimed.id, Delivery.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    rows = session.scalars(query).all()
    if not rows or rows[0].id != claimed.id:
        return []
    return [row for row in rows if row.state is rows[0].state]


def _with_bundle(session: Session, head: Delivery) -> Sequence[Delivery]:
    """Return ``head`` and, locked, what went out with it and is in the same state."""
    if head.bundle_id != head.id:
        return [head]
    mine = (Delivery.clinic_id == head.clinic_id, Delivery.bundle_id == head.id, Delivery.id != head.id)
    query = select(Delivery).where(*mine, Delivery.state == head.state).order_by(Delivery.id)
    return [head, *session.scalars(query.with_for_update())]
