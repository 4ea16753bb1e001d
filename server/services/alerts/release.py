"""What somebody has in hand when their account is closed: nobody has it any more, so it is open again."""

from uuid import UUID

from sqlalchemy import and_, or_, select

from server.clinical.vocabulary import LOST, AlertState
from server.models import UNRESOLVED, Alert
from server.services.alerts import alert as alerts
from server.services.alerts import alert_handling
from server.services.messages import delivery as deliveries
from server.services.people import account as accounts
from server.services.work import Work


def of_account(work: Work, account_id: UUID) -> None:
    """Let go of every unresolved alert in the hands of an account that is closed.

    What was acknowledged or snoozed, by it or by who gave it on, is open again and its ladder begins anew:
    that word holds for nobody. Of what waits still, whoever else is due is told. What a colleague has stays.
    """
    for alert_id in _in_hand(work, account_id):
        alert = alerts.of_somebody_here(work, alert_id)
        if alert is not None and account_id == (alert.assigned_to or alert.acknowledged_by):
            _release(work, alert, account_id)


def _release(work: Work, alert: Alert, account_id: UUID) -> None:
    alert.assigned_to = None
    if alert.state is AlertState.ACKNOWLEDGED:
        alert_handling.open_again(work, alert)
    else:
        alert.version += 1
        alerts.log(work, alert, "released", {"told": _tell(work, alert, account_id)})
    work.audit("alert.release", alert.patient_id, alert.id)


def _tell(work: Work, alert: Alert, account_id: UUID) -> int:
    """Tell whoever else is due of what waits for somebody; nobody where others were told as well."""
    call = deliveries.of_present_call(deliveries.about(work, alert.id), alert)
    others = {row.account_id for row in call if row.state not in LOST} - {account_id}
    return 0 if accounts.working(work, others) else deliveries.enqueue(work, alert)


def _in_hand(work: Work, account_id: UUID) -> list[UUID]:
    acknowledged = and_(Alert.assigned_to.is_(None), Alert.acknowledged_by == account_id)
    query = select(Alert.id).where(
        Alert.clinic_id == work.clinic_id, UNRESOLVED, or_(Alert.assigned_to == account_id, acknowledged)
    )
    return list(work.session.scalars(query.order_by(Alert.urgency, Alert.opened_at, Alert.id)))
