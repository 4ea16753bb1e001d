"""The outbox across clinics: claim a delivery under a lease, record what became of it.

Nothing is sent here: the job claims, sends outside any transaction, then records. What waits for the
same person over the same way goes out as one message, under the id of the first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from server.clinical.lifecycle import DELIVERY_MOVES, DeliveryAction, move
from server.clinical.vocabulary import (
    EVENT_SUBJECTS,
    WAITING,
    AlertClass,
    AlertState,
    Channel,
    DeliveryState,
    DeliverySubject,
    Role,
    SuggestionState,
)
from server.keys.sealing import SealError
from server.models import Account, Alert, Clinic, Delivery
from server.services.errors import NotFound
from server.services.messages import contact_point as contact_points
from server.services.messages import (
    delivery_address,
    delivery_loss,
    operations,
    outbox_defect,
    outbox_need,
    outbox_quiet,
    outbox_secret,
    sms_budget,
)
from server.services.messages.delivery import CALLS
from server.services.messages.delivery_loss import MOST_ENDED, POISON, RETIRED
from server.services.messages.outbox_ahead import patients_of, read_ahead
from server.services.messages.outbox_due import NOTHING, Destination, Skipped, due, is_ahead
from server.services.work import Work, system

# A storm is told in one message a person; more than so many rows would make the claim itself slow.
LARGEST_BUNDLE = 2000
# So many deliveries that there is no room for are looked at in one claim that takes none.
MOST_PASSED = 128
# So many workers died over it, one after the other: it is taken out of the queue, operations are paged.
MOST_CRASHES = 5
# From so many on it is tried with nothing else in hand, so that what only stood beside it is not set aside.
_SUSPECT = 2
_DIED = "worker_died_"


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, for a webhook: when, and state and version of the visit by then (None in a test).

    ``to_system``: one of the clinic's systems listens, which reads the inbox; else somebody of the staff.
    """

    at: datetime
    state: SuggestionState | None
    version: int | None
    to_system: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours until its lease ends. ``attempt`` is the fencing number, from 1 on.

    ``to`` is the destination as its channel writes it; ``count`` of how many patients it speaks.
    ``suspect``: workers died with it in hand, so it is taken alone and to be sent alone. ``secret``: what
    its link or text ends with. ``private``: the account, where it is a patient's or a caregiver's.
    ``expires_at``: from then on it would come too late. ``leased_until``: until when it is ours. ``is_new``:
    nobody has paid for a try of it yet.
    """

    clinic_id: UUID
    id: UUID
    attempt: int
    channel: Channel
    contact_id: UUID | None
    to: str
    language: str
    template: str
    subject_id: UUID
    urgency: AlertClass
    count: int
    suspect: bool = False
    event: Event | None = None
    secret: str | None = None
    private: UUID | None = None
    expires_at: datetime | None = None
    leased_until: datetime | None = None
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a message goes, for how long it is ours, and what they are who get it."""

    to: str
    lease: timedelta
    role: Role


Take = Callable[[Delivery], list[Claimed]]
Fits = Callable[[Delivery, str], bool]
Joins = Callable[[Sequence[Claimed], Delivery], bool]


def claim(
    session: Session, now: datetime, limit: int, lease: timedelta, skipped: Skipped = NOTHING
) -> list[Claimed]:
    """Take up to ``limit`` due deliveries of any clinic, most urgent first, until ``now + lease``.

    What the worker has no room for stays in its place, and counts: a claim that takes anything looks at so
    many and no more. One that has taken nothing yet looks further, or it would come again for each handful.
    Deliveries whose lease ran out (their worker died) are due again. One that was tried too often, whose
    recipient can't be reached that way any more, that would come too late or is not needed any more, ends
    instead; so does one whose address does not open, which pages operations; the next claim goes on with
    what is more than a few. One over which anything else fails is put off and keeps no other. ``lease``
    must be longer than 0.
    """
    claimed: list[Claimed] = []
    passed: set[UUID] = set()
    ended = 0
    fits = partial(_fits, skipped, passed)
    joins = partial(_may_join, claimed, limit)
    # Rows that end must not use up the places of good ones behind them.
    while (left := (limit if claimed or not passed else MOST_PASSED) - len(claimed) - len(passed)) > 0:
        rows = due(session, now, left, replace(skipped, passed=passed))
        if not (fit := [row for row in rows if joins([], row)]):
            break
        take = partial(_take_all, session, partial(_take_or_end, session, now, lease, fits), joins)
        claimed += outbox_defect.together(session, now, fit, take)
        ended += sum(row.state not in WAITING for row in fit)
        if ended >= MOST_ENDED:
            skipped.stopped()
            break
    return claimed


def _fits(skipped: Skipped, passed: set[UUID], row: Delivery, to: str) -> bool:
    where = Destination(row.channel, row.contact_id, row.subject in EVENT_SUBJECTS, to)
    if skipped.has_room(where):
        return True
    passed.add(row.id)
    return False


def _take_all(
    session: Session, take: Take, joins: Joins, rows: Sequence[Delivery], more: list[Claimed]
) -> list[Claimed]:
    """Return ``more`` and what is taken of ``rows``, up to one that may not join what was taken before."""
    held, found = read_ahead(session, rows), more
    for row in rows:
        if not joins(found, row):
            break
        found = found + take(row)
    del held
    return found


def _may_join(before: Sequence[Claimed], limit: int, more: Sequence[Claimed], row: Delivery) -> bool:
    """Say whether ``row`` may be taken, too: there are not too many, and none of them must be alone."""
    claimed = [*before, *more]
    return not claimed or not (len(claimed) >= limit or claimed[0].suspect or _deaths(row) >= _SUSPECT)


def _take_or_end(
    session: Session, now: datetime, lease: timedelta, fits: Fits, row: Delivery
) -> list[Claimed]:
    if row.state is DeliveryState.CLAIMED and row.lease_until is not None and row.lease_until > now:
        return []  # taken a moment ago, in the bundle of one before it
    if (later := outbox_need.waits_until(session, now, row)) is not None:
        row.due_at = later
        return []
    account = session.get_one(Account, (row.clinic_id, row.account_id))
    if outbox_quiet.hold(session, now, row, account):
        return []
    why = POISON if _deaths(row) >= MOST_CRASHES else outbox_need.why_not(session, now, row, account)
    work = Work(session, now, system(row.clinic_id))
    to = "" if why is not None else _address(work, row, account)
    if why is None and to not in (POISON, RETIRED):
        return [_take(session, now, row, Aim(to, lease, account.role))] if fits(row, to) else []
    why = why or to
    if why == POISON:
        operations.poison(session, now, row.channel, why)
    delivery_loss.end(work, row, why)
    return []


def _deaths(row: Delivery) -> int:
    """Return how many workers died with it in hand since it was last refused; refusals are no deaths."""
    failure = row.failure or ""
    known = int(failure.removeprefix(_DIED)) if failure.startswith(_DIED) else 0
    return known + (row.state is DeliveryState.CLAIMED)


def _address(work: Work, row: Delivery, account: Account) -> str:
    """Return where the delivery goes; RETIRED where the contact point is not used any more, POISON where
    it can't be opened.
    """
    try:
        if row.contact_id is None:
            return delivery_address.of(work, row, account)
        return contact_points.open_address(work, row.contact_id)
    except NotFound:
        return RETIRED
    except (SealError, ValueError, LookupError, TypeError):
        return POISON  # what was sealed does not open, or is no address


def _take(session: Session, now: datetime, row: Delivery, aim: Aim) -> Claimed:
    bundle, suspect = _bundle(session, now, row), _deaths(row) >= _SUSPECT
    is_new = not row.attempt or row.failure == sms_budget.SPENT
    for one in bundle:
        if one.state is DeliveryState.CLAIMED:
            one.failure = f"{_DIED}{_deaths(one)}"
        one.state = move(DELIVERY_MOVES, one.state, DeliveryAction.CLAIM)
        one.attempt += 1
        one.lease_until, one.bundle_id = now + aim.lease, row.id
    return Claimed(
        clinic_id=row.clinic_id,
        id=row.id,
        attempt=row.attempt,
        channel=row.channel,
        contact_id=row.contact_id,
        to=aim.to,
        language=session.get_one(Clinic, row.clinic_id).language,
        template=row.template,
        subject_id=row.subject_id,
        urgency=row.urgency,
        count=patients_of(session, bundle),
        suspect=suspect,
        event=_event(row, aim.role is Role.INTEGRATION),
        secret=outbox_secret.of(session, now, row),
        private=row.account_id if aim.role in sms_budget.PRIVATE else None,
        expires_at=row.expires_at,
        leased_until=row.lease_until,
        is_new=is_new,
    )


def _event(row: Delivery, to_system: bool) -> Event | None:
    if row.subject not in EVENT_SUBJECTS:
        return None
    return Event(row.created_at, row.event_state, row.event_version, to_system)


def _bundle(session: Session, now: datetime, row: Delivery) -> Sequence[Delivery]:
    """Return what goes out as one message with ``row``, itself first.

    A bundle is made once, at its first try, so that a repeat says the same under the same id.
    """
    mine = and_(Delivery.clinic_id == row.clinic_id, Delivery.id != row.id)
    alert_key = and_(Alert.clinic_id == Delivery.clinic_id, Alert.id == Delivery.subject_id)
    if row.bundle_id is not None:
        return [row, *session.scalars(select(Delivery).where(mine, Delivery.bundle_id == row.id))]
    if row.subject is not DeliverySubject.ALERT or row.template not in CALLS:
        return [row]
    contact = (
        Delivery.contact_id.is_(None) if row.contact_id is None else Delivery.contact_id == row.contact_id
    )
    query = (
        select(Delivery)
        .join(Alert, alert_key)
        .where(mine, contact, Delivery.account_id == row.account_id, Delivery.channel == row.channel)
        .where(Delivery.template == row.template, Delivery.urgency == row.urgency)
        .where(Delivery.state == DeliveryState.QUEUED, Delivery.bundle_id.is_(None))
        .where(or_(Delivery.due_at <= now, is_ahead(now)))
        .where(Alert.state == AlertState.OPEN)
        .order_by(Delivery.id)
        .limit(LARGEST_BUNDLE - 1)
        .with_for_update(skip_locked=True, of=Delivery)
    )
    return [row, *session.scalars(query)]
