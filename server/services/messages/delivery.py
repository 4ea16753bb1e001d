"""The outbox as it is written: whom an alert tells, over which of their ways, and what comes next."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, exists, func, or_, select
from sqlalchemy.orm import aliased, make_transient_to_detached
from uuid_utils.compat import uuid7

from server.clinical import escalation
from server.clinical.vocabulary import (
    TAKEN,
    WAITING,
    AlertClass,
    AlertState,
    Channel,
    DeliveryState,
    DeliverySubject,
    Role,
)
from server.models import STAFF, Account, Alert, Delivery, Patient
from server.services.alerts import rota as rotas
from server.services.alerts import shift as shifts
from server.services.asking import insert_once
from server.services.messages import bell, quiet
from server.services.messages import contact_point as contact_points
from server.services.messages.contact_point import Way
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.work import Work

# What only says that an alert wants somebody: not needed once somebody has it.
CALLS = frozenset(
    {"patient_needs_review", "emergency_needs_review", "still_waiting", "alert_unanswered", "probe"}
)
# That one was put into somebody's hands: not needed once it is closed, or in other hands.
ASSIGNED = "alert_assigned"
# That an emergency was reported once more to whoever has taken it on.
AGAIN = "emergency_again"

# Who hears of an alert because others could not be reached is not told that it has waited for long.
LONG = timedelta(hours=1)
# So many things are asked about with one statement.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody is to be told. ``key`` makes telling it twice harmless; ``template`` names a text.

    After ``expires_at`` it would come too late. ``level`` is that of the alert it is about.
    """

    key: str
    template: str
    subject: DeliverySubject
    subject_id: UUID
    urgency: AlertClass
    level: int = 0
    expires_at: datetime | None = None


def enqueue(work: Work, alert: Alert, climbed_from: int | None = None, but: Collection[UUID] = ()) -> int:
    """Write deliveries for everybody who is due to hear of ``alert`` at its level; return how many people.

    ``climbed_from``: the level before; who was to hear in between hears as well. ``but``: accounts that
    need not. The key names the version of the alert, so writing the same notice twice is one row. What
    only goes into the weekly digest (P3) is told to nobody.
    """
    if alert.urgency is AlertClass.P3:
        return 0
    work.session.flush()
    # Who need not hear is no reason to let whoever is on call sleep.
    hearing = [one for one in recipients(work, alert, climbed_from) if one.id not in but]
    return call_people(work, alert, [one for one in _with_on_call(work, alert, hearing) if one.id not in but])


def call_people(work: Work, alert: Alert, people: Sequence[Account]) -> int:
    """Write deliveries that call ``people`` for ``alert``, as loud as its level is; return how many."""
    for account in people:
        ways = contact_points.ways(work, account)
        loud = escalation.ways_at_once(alert.urgency, alert.level, len(ways))
        for way in ways[:loud]:
            tell(work, account, notice(alert, account, _template(work, alert, account)), way)
    return len(people)


def recipients(work: Work, alert: Alert, climbed_from: int | None = None) -> Sequence[Account]:
    """Return who hears of ``alert`` at its level: the rota's people, and whoever has or had it in hand.

    With ``climbed_from`` also those of every level passed since: a weekend or a stopped job may take an
    alert over several at once, and nobody of a step in between must be left out.
    """
    patient = work.session.get_one(Patient, (work.clinic_id, alert.patient_id))
    hands = (one for one in (alert.assigned_to, alert.acknowledged_by) if one is not None)
    in_hand = accounts.working(work, hands)
    calm = alert.level == 0 and alert.urgency is not AlertClass.P0
    if calm and alert.assigned_to in in_hand:
        return [in_hand[alert.assigned_to]]
    first = alert.level if climbed_from is None else climbed_from + 1
    told = rotas.told_between(work, patient, first, alert.level)
    known = {account.id for account in told}
    return [*told, *(account for account in in_hand.values() if account.id not in known)]


def _with_on_call(work: Work, alert: Alert, people: Sequence[Account]) -> Sequence[Account]:
    """Return ``people``; where quiet hours hold what is urgent (P1) from all of them, who is on call too."""
    awake = (quiet.released_at(work, one, alert.urgency) <= work.now for one in people)
    if alert.urgency is not AlertClass.P1 or any(awake):
        return people
    on_call = {duty.account_id for duty in shifts.duties_now(work)} - {one.id for one in people}
    return [*people, *accounts.colleagues(work, on_call).values()]


def tell_in_hand(work: Work, alert: Alert) -> int:
    """Tell whoever has taken ``alert`` on, over all their ways, that it was reported again; return how many.

    Nobody where nobody has: they have been told, and it goes on climbing.
    """
    hands = (one for one in (alert.assigned_to, alert.acknowledged_by) if one is not None)
    people = accounts.working(work, hands) if alert.state is AlertState.ACKNOWLEDGED else {}
    for account in people.values():
        for way in contact_points.ways(work, account):
            tell(work, account, notice(alert, account, AGAIN), way)
    return len(people)


def call(work: Work, account: Account, told: Notice) -> Delivery | None:
    """Tell ``account`` over the first of its ways; None where that was written already."""
    return tell(work, account, told, contact_points.ways(work, account)[0])


def tell(work: Work, account: Account, told: Notice, way: Way) -> Delivery | None:
    """Write one delivery over one way and return it; None where that was written already."""
    values = _values(work, account, told, way)
    work.session.flush()
    # In one step: of two who tell the same at the same moment neither fails.
    once = insert_once(Delivery, work.session.get_bind().dialect.name).returning(Delivery.id)
    if work.session.scalar(once, values) is None:
        return None
    row = Delivery(**values)
    make_transient_to_detached(row)
    work.session.add(row)
    bell.ring(work.session)
    return row


def _values(work: Work, account: Account, told: Notice, way: Way) -> dict[str, Any]:
    due_at = quiet.released_at(work, account, told.urgency)
    return {
        "clinic_id": work.clinic_id,
        "id": uuid7(),
        "key": f"{told.key}|{_name(way)}",
        "account_id": account.id,
        "channel": way.channel,
        "contact_id": way.contact_id,
        "template": told.template,
        "subject": told.subject,
        "subject_id": told.subject_id,
        "urgency": told.urgency,
        "level": told.level,
        "state": DeliveryState.QUEUED,
        "due_at": due_at,
        "held": due_at > work.now,
        "tried_since": due_at if due_at > work.now else None,
        "expires_at": told.expires_at,
        "attempt": 0,
        "created_at": work.now,
    }


def next_way(work: Work, lost: Delivery) -> Delivery | None:
    """Tell the recipient of ``lost`` over the first way not tried for the same notice yet.

    None where there is none left, or their account is closed: somebody else has to hear.
    """
    account = work.session.get_one(Account, (work.clinic_id, lost.account_id))
    left = ways_left(lost, ways_of(work, account), about(work, lost.subject_id))
    if not left:
        return None
    again = Notice(
        base_of(lost), lost.template, lost.subject, lost.subject_id, lost.urgency, lost.level, lost.expires_at
    )
    return tell(work, account, again, left[0])


def ways_of(work: Work, account: Account) -> Sequence[Way]:
    """Return the ways to reach ``account``: none where it is closed."""
    return contact_points.ways(work, account) if account.disabled_at is None else ()


def ways_left(lost: Delivery, ways: Iterable[Way], rows: Iterable[Delivery]) -> Sequence[Way]:
    """Return those of its recipient's ``ways`` over which, by ``rows``, the notice of ``lost`` did not go."""
    base = base_of(lost)
    tried = {row.key.partition("|")[2] for row in rows if row.key.startswith(f"{base}|")}
    return [way for way in ways if _name(way) not in tried]


def base_of(row: Delivery) -> str:
    """Return the key of the notice that a delivery is of, over whichever way."""
    return row.key.partition("|")[0]


def about(work: Work, subject_id: UUID) -> Sequence[Delivery]:
    """Return every delivery about one thing, oldest first: who was told what and when."""
    query = select(Delivery).where(Delivery.clinic_id == work.clinic_id, Delivery.subject_id == subject_id)
    return list(work.session.scalars(query.order_by(Delivery.created_at, Delivery.id)))


def about_each(work: Work, subjects: Sequence[UUID]) -> Mapping[UUID, Sequence[Delivery]]:
    """Return the same of each of many things, read together."""
    found: dict[UUID, list[Delivery]] = {}
    for first in range(0, len(subjects), _AT_ONCE):
        some = Delivery.subject_id.in_(subjects[first : first + _AT_ONCE])
        query = select(Delivery).where(Delivery.clinic_id == work.clinic_id, some)
        for row in work.session.scalars(query.order_by(Delivery.created_at, Delivery.id)):
            found.setdefault(row.subject_id, []).append(row)
    return found


def waiting_of_staff(work: Work) -> Iterator[ColumnElement[bool]]:
    """Yield what holds for the clinic's messages to its staff that are not over yet."""
    # Without their recipients SQLite reads all that the clinic ever sent: it knows of no few that wait.
    staff = select(Account.id).where(Account.clinic_id == work.clinic_id, STAFF)
    yield Delivery.clinic_id == work.clinic_id
    yield Delivery.account_id.in_(staff)
    yield Delivery.state.in_(WAITING)


def could_leave() -> ColumnElement[datetime]:
    """Return since when a message could have left: the end of quiet hours, where those held it."""
    # When it is due says when it is tried again.
    released = func.coalesce(Delivery.tried_since, Delivery.due_at)
    return case((Delivery.held, released), else_=Delivery.created_at)


def waits_since(row: Delivery) -> datetime:
    """Return when a message could first have gone out: the end of quiet hours, where those held it."""
    return row.tried_since or row.due_at if row.held else row.created_at


@cache
def keeps_waiting() -> ColumnElement[bool]:
    """Return what holds for a message whose recipient waits for it: not where another way told them.

    So it is of webhooks alone, which are a clinic's own: of any other way it is told that it does not work.
    """
    other = aliased(Delivery)
    told = exists().where(
        *(other.clinic_id == Delivery.clinic_id, other.subject_id == Delivery.subject_id),
        *(other.account_id == Delivery.account_id, other.template == Delivery.template),
        *(other.level == Delivery.level, other.created_at >= Delivery.created_at),
        other.state.in_(TAKEN),
    )
    return or_(Delivery.channel != Channel.WEBHOOK, ~told)


def of_present_call(rows: Iterable[Delivery], alert: Alert) -> Sequence[Delivery]:
    """Return those of an alert's deliveries that were written since it last began to wait, at its level."""
    return [
        row
        for row in rows
        if row.created_at >= alert.waiting_since and row.level == alert.level and row.template in CALLS
    ]


def _name(way: Way) -> str:
    return way.channel if way.contact_id is None else f"{way.channel}:{way.contact_id}"


def notice(alert: Alert, account: Account, template: str) -> Notice:
    """Return what ``account`` is told about ``alert`` as it is now."""
    return Notice(
        key=f"{alert.id}:{alert.version}:{alert.level}:{account.id}",
        template=template,
        subject=DeliverySubject.ALERT,
        subject_id=alert.id,
        urgency=alert.urgency,
        level=alert.level,
    )


def _template(work: Work, alert: Alert, account: Account) -> str:
    if clinics.is_operations(work):
        return "probe"  # its patient is nobody
    if account.role is Role.CLINIC_ADMIN:
        return "alert_unanswered"  # an admin sees no patient: somebody who does must sign in
    if alert.urgency is AlertClass.P0:
        return "emergency_needs_review"
    return "still_waiting" if work.now - alert.waiting_since >= LONG else "patient_needs_review"
