"""Which deliveries of the outbox are due, and which of them a worker has no room for now."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from server.clinical.vocabulary import EVENT_SUBJECTS, AlertClass, Channel, DeliveryState
from server.models import Delivery
from server.services.messages.delivery import could_leave, keeps_waiting


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a delivery leads: ``to`` as its channel writes it. An event goes to a system and has no words."""

    channel: Channel
    contact_id: UUID | None
    is_event: bool
    to: str


def _always(_where: Destination) -> bool:
    return True


def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class Skipped:
    """What a worker does not want now: channels and contact points whose far end is away or busy.

    Events have lanes of their own, so ``events`` names the contact points that want none of them now;
    ``all_events``: nobody does. ``has_room`` is asked of each that is left, for only an opened address tells
    which far end it has; ``passed``: the deliveries it said no to. ``stopped`` is called by a claim that
    ended so many that the rest is left to the next.
    """

    channels: Collection[Channel] = ()
    contacts: Collection[UUID] = ()
    events: Collection[UUID] = ()
    all_events: bool = False
    has_room: Callable[[Destination], bool] = _always
    passed: Collection[UUID] = ()
    stopped: Callable[[], None] = _nothing


NOTHING = Skipped()


def is_any_due(session: Session, now: datetime, skipped: Skipped = NOTHING) -> bool:
    """Say whether there is anything that `due` would find."""
    query = _query(now, 1, skipped).with_only_columns(Delivery.id)
    return session.execute(query).first() is not None


def urgent_since(session: Session, before: datetime) -> int:
    """Return how many urgent (P0, P1) deliveries that could go out before ``before`` still wait."""
    query = select(func.count()).where(
        Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.SENT)),
        Delivery.urgency.in_((AlertClass.P0, AlertClass.P1)),
        could_leave() < before,
        keeps_waiting(),
    )
    return session.scalar(query) or 0


def due(session: Session, now: datetime, limit: int, skipped: Skipped) -> Sequence[Delivery]:
    """Return up to ``limit`` due deliveries of any clinic, locked, most urgent first."""
    # PostgreSQL: rows another worker is claiming are passed by. SQLite has one writer anyway.
    return list(session.scalars(_query(now, limit, skipped).with_for_update(skip_locked=True)))


def is_ahead(now: datetime) -> ColumnElement[bool]:
    """Return what holds for an urgent message whose writer had a clock that was ahead: it may leave.

    Nobody would hear of it before that day comes. What is not urgent has that time, and looking through all
    that is held would cost milliseconds each time.
    """
    return and_(
        *(Delivery.state == DeliveryState.QUEUED, Delivery.urgency.in_((AlertClass.P0, AlertClass.P1))),
        *(Delivery.due_at > now, Delivery.created_at > now),
        *(Delivery.attempt == 0, Delivery.held.is_(False)),
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Return what holds for a delivery that may be taken at ``now``."""
    waiting = and_(Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.SENT)), Delivery.due_at <= now)
    abandoned = and_(Delivery.state == DeliveryState.CLAIMED, Delivery.lease_until <= now)
    return or_(waiting, abandoned, is_ahead(now))


def _query(now: datetime, limit: int, skipped: Skipped) -> Select[Delivery]:
    query = (
        select(Delivery)
        .where(_is_due(now), or_(Delivery.bundle_id.is_(None), Delivery.bundle_id == Delivery.id))
        .order_by(Delivery.urgency, Delivery.due_at, Delivery.id)
        .limit(limit)
    )
    if skipped.passed:
        query = query.where(Delivery.id.not_in(skipped.passed))
    if skipped.channels:
        query = query.where(Delivery.channel.not_in(skipped.channels))
    is_event = Delivery.subject.in_(EVENT_SUBJECTS)
    if skipped.contacts:
        query = query.where(
            or_(is_event, Delivery.contact_id.is_(None), Delivery.contact_id.not_in(skipped.contacts))
        )
    if skipped.all_events or skipped.events:
        query = query.where(
            ~is_event if skipped.all_events else ~(is_event & Delivery.contact_id.in_(skipped.events))
        )
    return query
