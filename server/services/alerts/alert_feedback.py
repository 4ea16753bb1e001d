"""What people say of the rules that spoke in an alert: useful, or noise."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from server.clinical.vocabulary import Usefulness
from server.models import Alert, AlertFeedback
from server.services.alerts import alert as alerts
from server.services.errors import Invalid
from server.services.work import Work


def give(work: Work, alert_id: UUID, code: str, usefulness: Usefulness) -> Alert:
    """Keep the actor's word on one rule of an alert; the last one counts. It changes nothing else.

    Raises Invalid where no such rule spoke in the alert.
    """
    alert = alerts.get(work, alert_id, lock=True)
    if code not in alert.codes:
        raise Invalid("/code", "Must be one of the alert's codes.")
    key = (work.clinic_id, alert_id, work.actor.account_id, code)
    row = work.session.get(AlertFeedback, key)
    if row is None:
        row = AlertFeedback(
            clinic_id=work.clinic_id, alert_id=alert_id, account_id=work.actor.account_id, code=code
        )
        work.session.add(row)
    row.usefulness, row.at = usefulness, work.now
    work.session.flush()
    alerts.log(work, alert, str(usefulness), {"code": code})
    work.audit("alert.feedback", alert.patient_id, alert.id)
    return alert


def of(work: Work, alert_id: UUID) -> Sequence[AlertFeedback]:
    """Return what was said of the rules of one alert."""
    query = select(AlertFeedback).where(
        AlertFeedback.clinic_id == work.clinic_id, AlertFeedback.alert_id == alert_id
    )
    return list(work.session.scalars(query.order_by(AlertFeedback.at, AlertFeedback.account_id)))
