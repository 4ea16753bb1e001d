"""What a clock that was ahead wrote into the outbox holds as of now, once the clock is right.

Else messages, further tries and what a dead worker had in hand would wait for the hour that the clock had
shown, and nothing that looks at how long somebody waits would see them.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from server.clinical.vocabulary import WAITING, Channel, DeliveryState, DeliverySubject
from server.models import UNRESOLVED, Account, Alert, Delivery
from server.services import clock_ahead
from server.services.job_run import AHEAD
from server.services.messages import quiet, retry
from server.services.messages.outbox_outcome import REPORT_WITHIN
from server.services.work import Work, system

# What is more than so many goes on at the next look.
_AT_ONCE = 1000

Mend = tuple[ColumnElement[bool], Callable[[Work, Delivery], None]]


def put_right(session: Session, now: datetime, lease: timedelta) -> int:
    """Let what is ahead be written, tried, in hand and reported on as of ``now``; return how many rows.

    ``lease``: for how long a message is one worker's. What another transaction holds has time until the next
    look. A call for an alert follows the alert, which is to be put right before.
    """
    return sum(_put_right(session, now, which, mend) for which, mend in _mends(now, lease))


def _put_right(
    session: Session, now: datetime, which: ColumnElement[bool], mend: Callable[[Work, Delivery], None]
) -> int:
    query = select(Delivery).where(which).limit(_AT_ONCE).with_for_update(skip_locked=True)
    rows = [(Work(session, now, system(row.clinic_id)), row) for row in session.scalars(query).all()]
    ahead = [(work, row) for work, row in rows if clock_ahead.is_ours_right(work)]
    for work, row in ahead:
        mend(work, row)
    return len(ahead)


def _mends(now: datetime, lease: timedelta) -> Iterator[Mend]:
    waiting, soon = Delivery.state.in_(WAITING), now + AHEAD
    yield and_(waiting, Delivery.created_at > soon, _may_begin(soon)), _begin
    yield and_(waiting, Delivery.state != DeliveryState.CLAIMED, _is_put_off(soon)), _try
    # Whoever has it in hand may be alive: it is theirs as if they had taken it just now.
    claimed = and_(Delivery.state == DeliveryState.CLAIMED, Delivery.lease_until > soon + lease)
    yield claimed, partial(_lend, lease)
    yield and_(Delivery.state == DeliveryState.ACCEPTED, Delivery.report_by > soon + REPORT_WITHIN), _await


def _may_begin(soon: datetime) -> ColumnElement[bool]:
    """Return what holds for what can be dated back: no call whose alert is ahead still, or it were none."""
    follows = exists().where(
        *(Alert.clinic_id == Delivery.clinic_id, Alert.id == Delivery.subject_id),
        *(UNRESOLVED, Alert.waiting_since > soon),
    )
    # Of a hand-over its moment stays, by which the alerts are found that it tells of.
    moves = or_(
        Delivery.subject != DeliverySubject.SHIFT, and_(Delivery.attempt == 0, Delivery.due_at > soon)
    )
    return and_(moves, ~follows)


def _is_put_off(soon: datetime) -> ColumnElement[bool]:
    """Return what holds for a message that is put off for longer than any is."""
    is_soon = and_(Delivery.held.is_(False), Delivery.channel != Channel.WEBHOOK)
    asked = and_(is_soon, Delivery.due_at > soon + retry.LONGEST_ASKED)
    return or_(asked, Delivery.due_at > soon + retry.LONGEST)


def _begin(work: Work, row: Delivery) -> None:
    if not row.attempt:
        account = work.session.get_one(Account, (row.clinic_id, row.account_id))
        row.due_at = quiet.released_at(work, account, row.urgency) if row.held else work.now
        row.held = row.due_at > work.now
        row.tried_since = row.due_at if row.held else None
    if row.subject is not DeliverySubject.SHIFT:
        row.created_at = work.now


def _try(work: Work, row: Delivery) -> None:
    row.due_at = work.now
    row.tried_since = row.tried_since and min(row.tried_since, work.now)


def _lend(lease: timedelta, work: Work, row: Delivery) -> None:
    row.lease_until = work.now + lease


def _await(work: Work, row: Delivery) -> None:
    row.report_by = work.now + REPORT_WITHIN
