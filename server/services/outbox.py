"""The outbox across clinics: claim a delivery under a lease, record what became of it.

Nothing is sent here: the job claims, sends outside any transaction, then records.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from server.clinical.lifecycle import DELIVERY_MOVES, DeliveryAction, move
from server.clinical.vocabulary import AlertClass, DeliveryState, DeliverySubject
from server.models import Account, Alert, Delivery
from server.services import alert as alerts
from server.services import reminder as reminders
from server.services.work import Work, system

# RFC 5321, 4.5.4.1: a message that was not taken is tried again after at least 30 minutes in the long
# run, sooner at first because most troubles of a mail server are short.
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=30)
# About 28 hours. By then an urgent alert has climbed every level (`escalation.p1_third_minutes`, 24 h),
# so one more try of an early notice would tell nobody anything new.
MOST_ATTEMPTS = 60
EXPIRED, NOT_NEEDED = "expired", "not_needed"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours until its lease ends. ``attempt`` is the fencing number, from 1 on."""

    clinic_id: UUID
    id: UUID
    attempt: int
    address: str
    template: str
    subject_id: UUID
    urgency: AlertClass


def claim(session: Session, now: datetime, limit: int, lease: timedelta) -> list[Claimed]:
    """Take up to ``limit`` due deliveries of any clinic, most urgent first, until ``now + lease``.

    Deliveries whose lease ran out (their worker died) are due again. One that was tried
    ``MOST_ATTEMPTS`` times, whose recipient's account is closed, that would come too late or is not
    needed any more, is given up instead. ``lease`` must be longer than 0.
    """
    claimed: list[Claimed] = []
    # Rows that are given up must not use up the places of good ones behind them.
    while rows := _due(session, now, limit - len(claimed)):
        claimed += [taken for row in rows if (taken := _take_or_give_up(session, now, row, lease))]
        session.flush()
    return claimed


def urgent_since(session: Session, before: datetime) -> int:
    """Return how many urgent (P0, P1) deliveries written before ``before`` still wait."""
    query = select(func.count()).where(
        Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.CLAIMED)),
        Delivery.urgency.in_((AlertClass.P0, AlertClass.P1)),
        Delivery.created_at < before,
    )
    return session.scalar(query) or 0


def finish(
    session: Session, now: datetime, claimed: Claimed, failure: str | None = None, permanent: bool = False
) -> bool:
    """Record that ``claimed`` was delivered (no ``failure`` code) or why not.

    A failure is tried again later unless ``permanent`` or tried too often. Return False, and change
    nothing, where the lease was lost to another worker meanwhile.
    """
    row = session.scalar(
        select(Delivery)
        .where(
            Delivery.clinic_id == claimed.clinic_id,
            Delivery.id == claimed.id,
            Delivery.attempt == claimed.attempt,
            Delivery.state == DeliveryState.CLAIMED,
        )
        .with_for_update()
    )
    if row is None:
        return False
    if failure is None:
        row.state = move(DELIVERY_MOVES, row.state, DeliveryAction.DELIVER)
        row.finished_at, row.lease_until, row.failure = now, None, None
    elif permanent or row.attempt >= MOST_ATTEMPTS:
        _give_up(session, now, row, failure)
    else:
        row.state = move(DELIVERY_MOVES, row.state, DeliveryAction.RETRY)
        row.due_at, row.lease_until, row.failure = now + retry_after(row.attempt), None, failure
    session.flush()
    return True


def retry_after(attempt: int) -> timedelta:
    """Return the pause after failed try number ``attempt`` (from 1): doubling, up to the longest."""
    doublings = min(max(attempt - 1, 0), 10)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)


def _due(session: Session, now: datetime, limit: int) -> Sequence[Delivery]:
    waiting = and_(Delivery.state == DeliveryState.QUEUED, Delivery.due_at <= now)
    abandoned = and_(Delivery.state == DeliveryState.CLAIMED, Delivery.lease_until <= now)
    query = (
        select(Delivery)
        .where(or_(waiting, abandoned))
        .order_by(Delivery.urgency, Delivery.due_at, Delivery.id)
        .limit(limit)
        # PostgreSQL: rows another worker is claiming are passed by. SQLite has one writer anyway.
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(query))


def _take_or_give_up(session: Session, now: datetime, row: Delivery, lease: timedelta) -> Claimed | None:
    account = session.get_one(Account, (row.clinic_id, row.account_id))
    if row.attempt >= MOST_ATTEMPTS:
        _give_up(session, now, row, row.failure or "worker_died")
    elif account.disabled_at is not None:
        _give_up(session, now, row, "recipient_disabled")
    elif row.expires_at is not None and row.expires_at <= now:
        _give_up(session, now, row, EXPIRED)
    elif row.subject is DeliverySubject.REMINDER and not reminders.is_wanted(session, now, row):
        _give_up(session, now, row, NOT_NEEDED)
    else:
        return _take(row, account, now + lease)
    return None


def _take(row: Delivery, account: Account, lease_until: datetime) -> Claimed:
    row.state = move(DELIVERY_MOVES, row.state, DeliveryAction.CLAIM)
    row.attempt += 1
    row.lease_until = lease_until
    return Claimed(
        clinic_id=row.clinic_id,
        id=row.id,
        attempt=row.attempt,
        address=account.email,
        template=row.template,
        subject_id=row.subject_id,
        urgency=row.urgency,
    )


def _give_up(session: Session, now: datetime, row: Delivery, failure: str) -> None:
    """End the delivery. One about an alert says so in the alert's log, where the care team looks."""
    row.state = move(DELIVERY_MOVES, row.state, DeliveryAction.GIVE_UP)
    row.finished_at, row.lease_until, row.failure = now, None, failure
    if row.subject is DeliverySubject.ALERT:
        alert = session.get_one(Alert, (row.clinic_id, row.subject_id), with_for_update=True)
        detail = {"delivery": str(row.id), "channel": row.channel, "reason": failure}
        alerts.log(Work(session, now, system(row.clinic_id)), alert, "delivery_given_up", detail)
