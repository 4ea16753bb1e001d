"""What nobody has in hand any more is open again.

Their account was closed, or no message could tell them that it was given to them or reported again.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select

from server.clinical import escalation
from server.clinical.vocabulary import LOST, TAKEN, WAITING, AlertState, DeliverySubject
from server.models import UNRESOLVED, Alert, AlertEvent, Delivery
from server.services.alerts import alert as alerts
from server.services.alerts import alert_handling
from server.services.messages import delivery as deliveries
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.work import Work


def of_account(work: Work, account_id: UUID) -> None:
    """Let go of every unresolved alert in the hands of an account that is closed.

    What was acknowledged or snoozed, by it or by who gave it on, is open again and its ladder begins anew:
    that word holds for nobody. Of what waits still, whoever else is due is told where nobody else was: also
    where it was in nobody's hands. What a colleague has stays.
    """
    for alert_id in _of_account(work, account_id):
        alert = alerts.of_somebody_here(work, alert_id)
        if alert is None:
            continue
        if account_id == (alert.assigned_to or alert.acknowledged_by):
            _release(work, alert)
        elif alert.state is AlertState.OPEN and not _is_known(work, alert, account_id):
            _tell(work, alert)


def unheard(work: Work, lost: Delivery) -> None:
    """Let go of what somebody does not know of, whom the last of their ways did not reach with ``lost``.

    What was given to them is in nobody's hands; an emergency that was reported again to whoever has it is
    told to others. What they have taken on themselves stays theirs. What was put off is told when that ends.
    """
    if _may_have_heard(work, lost):
        return
    if lost.template == deliveries.AGAIN:
        _reported_again(work, lost)
        return
    for alert_id in _given(work, lost):
        alert = alerts.of_somebody_here(work, alert_id)
        if alert is None or alert.state is AlertState.RESOLVED or alert.snoozed:
            continue
        if alert.assigned_to == lost.account_id != alert.acknowledged_by:
            _release(work, alert)


def _may_have_heard(work: Work, lost: Delivery) -> bool:
    """Say whether another message of the same was taken or may soon be; of an emergency, by anybody."""
    base, rows = deliveries.base_of(lost), deliveries.about(work, lost.subject_id)
    same = [row for row in rows if deliveries.base_of(row) == base]
    if lost.subject is DeliverySubject.ALERT:
        # Also what they were told once more later.
        since = lost.created_at if lost.template == deliveries.AGAIN else same[0].created_at
        same = [row for row in rows if row.template == lost.template and row.created_at >= since]
    if lost.template == deliveries.ASSIGNED:
        same = [row for row in same if row.account_id == lost.account_id]
    before = work.now - escalation.next_way_after(clinics.policy(work))
    return any(
        row.state in TAKEN or (row.state in WAITING and deliveries.waits_since(row) > before) for row in same
    )


def _reported_again(work: Work, lost: Delivery) -> None:
    alert = alerts.of_somebody_here(work, lost.subject_id)
    if alert is not None and alert.state is AlertState.ACKNOWLEDGED:
        alert_handling.open_again(work, alert)


def _given(work: Work, lost: Delivery) -> Sequence[UUID]:
    """Return the alerts that a message says were given to somebody: one, or all that were handed over."""
    if lost.subject is not DeliverySubject.SHIFT:
        return [lost.subject_id]
    ways = Delivery.key.startswith(f"{deliveries.base_of(lost)}|", autoescape=True)
    about = Delivery.clinic_id == work.clinic_id, Delivery.subject_id == lost.subject_id, ways
    handed = select(Alert.id).join(
        AlertEvent, (AlertEvent.clinic_id == Alert.clinic_id) & (AlertEvent.alert_id == Alert.id)
    )
    query = handed.where(
        Alert.clinic_id == work.clinic_id,
        UNRESOLVED,
        Alert.assigned_to == lost.account_id,
        AlertEvent.kind == "handed_over",
        AlertEvent.at == select(func.min(Delivery.created_at)).where(*about).scalar_subquery(),
    )
    return work.session.scalars(query.order_by(Alert.urgency, Alert.opened_at, Alert.id)).all()


def _release(work: Work, alert: Alert) -> None:
    alert.assigned_to = None
    if alert.state is AlertState.ACKNOWLEDGED:
        alert_handling.open_again(work, alert)
    else:
        # Also where others were told of it before: since then they know it as a colleague's.
        _tell(work, alert)
    work.audit("alert.release", alert.patient_id, alert.id)


def _is_known(work: Work, alert: Alert, account_id: UUID) -> bool:
    """Say whether anybody else who works was told of what waits."""
    call = deliveries.of_present_call(deliveries.about(work, alert.id), alert)
    others = {row.account_id for row in call if row.state not in LOST} - {account_id}
    return bool(accounts.working(work, others))


def _tell(work: Work, alert: Alert) -> None:
    """Tell whoever is due of what waits: the one who was told is there no longer."""
    alert.version += 1
    alerts.log(work, alert, "released", {"told": deliveries.enqueue(work, alert)})


def _of_account(work: Work, account_id: UUID) -> list[UUID]:
    """Return the unresolved alerts in the hands of an account, and those that wait and were told to it."""
    acknowledged = and_(Alert.assigned_to.is_(None), Alert.acknowledged_by == account_id)
    told = exists().where(
        Delivery.clinic_id == Alert.clinic_id,
        Delivery.subject_id == Alert.id,
        Delivery.account_id == account_id,
    )
    its = or_(Alert.assigned_to == account_id, acknowledged, and_(Alert.state == AlertState.OPEN, told))
    query = select(Alert.id).where(Alert.clinic_id == work.clinic_id, UNRESOLVED, its)
    return list(work.session.scalars(query.order_by(Alert.urgency, Alert.opened_at, Alert.id)))
