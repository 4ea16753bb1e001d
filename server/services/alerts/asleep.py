"""Urgent alerts (P1) that quiet hours hold from everybody: whoever has come on call since then hears."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Select, select

from server.clinical.vocabulary import LOST, AlertClass, AlertState, DeliverySubject
from server.models import Account, Alert, Delivery
from server.services.alerts import alert as alerts
from server.services.alerts import calls
from server.services.messages import delivery as deliveries
from server.services.messages import quiet
from server.services.people import account as accounts
from server.services.work import Work


def due(work: Work, found: Iterable[Alert]) -> set[UUID]:
    """Return those of ``found`` of which somebody on call has not been told, while all who were sleep."""
    held = set(work.session.scalars(_held(work)))
    asleep = [alert for alert in found if alert.id in held and _is_urgent(alert)]
    on_call = _on_call(work) if asleep else ()
    if not on_call:
        return set()
    rows = deliveries.about_each(work, [alert.id for alert in asleep])
    return {alert.id for alert in asleep if _untold(work, alert, rows[alert.id], on_call)}


def call(work: Work, alert: Alert) -> bool:
    """Call whoever is on call for a locked alert that everybody sleeps through. False where nobody does."""
    if not _is_urgent(alert):
        return False
    people = _untold(work, alert, deliveries.about(work, alert.id), _on_call(work))
    if not people:
        return False
    alert.version += 1
    told = deliveries.call_people(work, alert, people)
    alerts.log(work, alert, "escalated", {"level": alert.level, "told": told})
    return True


def _is_urgent(alert: Alert) -> bool:
    return alert.urgency is AlertClass.P1 and alert.state is AlertState.OPEN


def _untold(
    work: Work, alert: Alert, rows: Sequence[Delivery], on_call: Sequence[Account]
) -> Sequence[Account]:
    call = deliveries.of_present_call(rows, alert)
    if not any(calls.sleeps(work, row) for row in call):
        return []
    if not all(row.state in LOST or calls.sleeps(work, row) for row in call):
        return []
    # Whose message of an earlier level waits still is not told anew: it would look as if only called now.
    called = {row.account_id for row in (*call, *calls.waiting(rows, alert))}
    return [one for one in on_call if one.id not in called]


def _on_call(work: Work) -> Sequence[Account]:
    ids = quiet.on_call(work)
    return list(accounts.colleagues(work, ids).values()) if ids else []


def _held(work: Work) -> Select[UUID]:
    held = (Delivery.held.is_(True), Delivery.due_at > work.now, Delivery.urgency == AlertClass.P1)
    mine = (*deliveries.waiting_of_staff(work), Delivery.subject == DeliverySubject.ALERT)
    return select(Delivery.subject_id).where(*mine, *held)
