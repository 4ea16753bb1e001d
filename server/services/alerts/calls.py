"""What has become of the calls for an alert: who waits still, who sleeps, whom nothing has reached."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import aliased
from sqlalchemy.orm.util import AliasedClass

from server.clinical.vocabulary import LOST, TAKEN, WAITING, AlertClass, AlertState
from server.models import Alert, Delivery
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import CALLS
from server.services.work import Work


def waiting(rows: Iterable[Delivery], alert: Alert) -> Sequence[Delivery]:
    """Return the calls for an alert that wait still, from earlier levels too: nobody is told them twice."""
    since = alert.waiting_since
    return [row for row in rows if row.state in WAITING and row.template in CALLS and row.created_at >= since]


def sleeps(work: Work, row: Delivery) -> bool:
    """Say whether quiet hours hold what is urgent (P1): who was called in their place can't be waited for."""
    return row.urgency is AlertClass.P1 and row.held and row.state in WAITING and row.due_at > work.now


def stuck(rows: Iterable[Delivery], alert: Alert, before: datetime) -> Sequence[Delivery]:
    """Return of the present call what waits since ``before``, where nothing else has reached the person."""
    call = deliveries.of_present_call(rows, alert)
    reached = {row.account_id for row in call if row.state in TAKEN}
    newest = {row.account_id: row for row in call if row.account_id not in reached}
    return [row for row in newest.values() if row.state in WAITING and deliveries.waits_since(row) <= before]


def is_untaken(work: Work, rows: Sequence[Delivery], alert: Alert, before: datetime) -> bool:
    """Say whether every message of the present call waits too long or has ended without reaching anybody.

    Asked where nobody who waits has a way left: what comes next must not wait for what may never leave.
    """
    reached = {
        (row.account_id, row.level)
        for row in rows
        if row.state in TAKEN and row.template in CALLS and row.created_at >= alert.waiting_since
    }
    held_up = [
        row
        for row in waiting(rows, alert)
        if deliveries.waits_since(row) <= before and (row.account_id, row.level) not in reached
    ]
    call = deliveries.of_present_call(rows, alert)
    return bool(held_up) and all(row.state in LOST or row in held_up or sleeps(work, row) for row in call)


def of_those_stuck(work: Work, before: datetime) -> Mapping[UUID, Sequence[Delivery]]:
    """Return, by alert, all messages about the open ones of which a call has waited since ``before``.

    One does not count where another way has reached the person.
    """
    held_up = (
        select(Delivery.subject_id)
        .join(Alert, and_(Alert.clinic_id == Delivery.clinic_id, Alert.id == Delivery.subject_id))
        .where(*deliveries.waiting_of_staff(work), Alert.state == AlertState.OPEN)
        .where(_calls(Delivery), deliveries.could_leave() <= before, ~_has_reached())
    )
    return deliveries.about_each(work, list(set(work.session.scalars(held_up))))


@cache
def _has_reached() -> ColumnElement[bool]:
    """Return what holds for a call whose recipient another way has reached."""
    other = aliased(Delivery)
    return exists().where(
        *(other.clinic_id == Delivery.clinic_id, other.subject_id == Delivery.subject_id),
        *(other.account_id == Delivery.account_id, other.level == Delivery.level),
        *(_calls(other), other.state.in_(TAKEN)),
    )


def _calls(row: type[Delivery] | AliasedClass[Delivery]) -> ColumnElement[bool]:
    """Return what holds for a call that was written since its alert last began to wait."""
    return and_(row.template.in_(CALLS), row.created_at >= Alert.waiting_since)
