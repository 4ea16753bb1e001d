"""What somebody has in hand when their account is closed: nobody has it any more, so it is open again."""

from uuid import UUID

from sqlalchemy import and_, exists, or_, select

from server.clinical.vocabulary import LOST, AlertState
from server.models import UNRESOLVED, Alert, Delivery
from server.services.alerts import alert as alerts
from server.services.alerts import alert_handling
from server.services.messages import delivery as deliveries
from server.services.people import account as accounts
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
            _release(work, alert, account_id)
        elif alert.state is AlertState.OPEN and not _is_known(work, alert, account_id):
            _tell(work, alert)


def _release(work: Work, alert: Alert, account_id: UUID) -> None:
    alert.assigned_to = None
    if alert.state is AlertState.ACKNOWLEDGED:
        alert_handling.open_again(work, alert)
    elif _is_known(work, alert, account_id):
        alert.version += 1
        alerts.log(work, alert, "released", {"told": 0})
    else:
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
