"""What quiet hours hold leaves as soon as its recipient has none: they went on call, or have other ones now.

When a message was written it was known until when they would sleep, and not what changes in the night.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from server.clinical.vocabulary import AlertClass, DeliveryState
from server.models import Account, Clinic, Delivery
from server.services.messages import bell, quiet
from server.services.messages import delivery as deliveries
from server.services.people import clinic as clinics
from server.services.work import Work


class _Early(NamedTuple):
    """What is held for one of the staff for longer than until ``released``."""

    account_id: UUID
    urgency: AlertClass
    released: datetime


def clinics_concerned(session: Session, now: datetime) -> Sequence[UUID]:
    """Return the clinics with a message that quiet hours hold, to whomever."""
    held = (Delivery.state == DeliveryState.QUEUED, Delivery.held.is_(True), Delivery.due_at > now)
    return clinics.those(session, Clinic.id.in_(select(Delivery.clinic_id).where(*held)))


def is_any_early(work: Work) -> bool:
    """Say whether `let_go` would let anything go."""
    return bool(_early(work))


def let_go(work: Work) -> int:
    """Let the clinic's held messages leave when quiet hours end by what holds now; return how many do.

    Only sooner: what is longer than it was is looked at when they leave. What another transaction has in hand
    has time until the next look.
    """
    found = [row for early in _early(work) for row in _rows(work, early)]
    if found:
        work.session.flush()
        bell.ring(work.session)
    return len(found)


def _rows(work: Work, early: _Early) -> Sequence[Delivery]:
    theirs = (Delivery.account_id == early.account_id, Delivery.urgency == early.urgency)
    query = select(Delivery).where(*_held(work), *theirs, Delivery.due_at > early.released)
    rows = work.session.scalars(query.order_by(Delivery.id).with_for_update(skip_locked=True)).all()
    for row in rows:
        # What it was tried before loses no time by the night, and gains none.
        row.tried_since = (row.tried_since or row.due_at) - (row.due_at - early.released)
        row.due_at = early.released
    return rows


def _early(work: Work) -> Sequence[_Early]:
    """Return for whom something is held for too long: each is asked about once, however much is."""
    kinds = (Delivery.account_id, Delivery.urgency)
    query = select(*kinds, func.max(Delivery.due_at)).where(*_held(work)).group_by(*kinds)
    held = work.session.execute(query).all()
    if not held:
        return []
    clinic = clinics.get(work)  # held, for a session forgets what nobody holds, and each account asks for it
    on_call, ids = quiet.on_call(work), {row.account_id for row in held}
    people = select(Account).where(Account.clinic_id == work.clinic_id, Account.id.in_(ids))
    known = {account.id: account for account in work.session.scalars(people)}
    found = []
    for account_id, urgency, last in held:
        is_on_call = account_id in on_call
        released = work.now if is_on_call else quiet.ends_at(work, known[account_id], urgency)
        if released < last:
            found.append(_Early(account_id, urgency, released))
    del clinic
    return found


def _held(work: Work) -> Iterator[ColumnElement[bool]]:
    yield from deliveries.waiting_of_staff(work)
    yield from (Delivery.state == DeliveryState.QUEUED, Delivery.held.is_(True), Delivery.due_at > work.now)
    # One that was let go and is tried again waits for its next try, and has been tried since then.
    yield from (Delivery.tried_since > work.now, Delivery.created_at <= work.now)
