"""The episode like a finding that a person closed last: who closed it knew the days before."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from server.clinical.mania import ActivationRule
from server.clinical.vocabulary import ARM_OF, AlertClass, AlertFamily
from server.models import Alert, Patient
from server.services import local_day as local_days
from server.services import vault
from server.services.work import Work

# For how long what a trend shows opens no second episode after one was resolved.
LOCKOUT = {
    **dict.fromkeys(ARM_OF, "alert.lockout_days"),
    AlertFamily.ACTIVATION: "mania.lockout_days",
}


class Closed(NamedTuple):
    """An episode, and the patient's day on which it was closed."""

    alert: Alert
    day: date


def last(work: Work, patient: Patient, family: AlertFamily, urgency: AlertClass) -> Closed | None:
    """Return the one of ``family``, at least as urgent, that was closed last."""
    recent = select(Alert).where(
        Alert.clinic_id == work.clinic_id,
        Alert.patient_id == patient.id,
        Alert.family == family,
        Alert.urgency <= urgency,
        Alert.outcome.is_not(None),  # without one it was closed by a withdrawn consent, not by a person
    )
    found = work.session.scalar(recent.order_by(Alert.resolved_at.desc()).limit(1))
    if found is None or found.resolved_at is None:
        return None
    return Closed(found, local_days.of(work, found.resolved_at, patient.zone))


def told_of_asrm(work: Work, closed: Closed, day: date) -> bool:
    """Say whether it held the ASRM of ``day``: one counts on its own day, and any other is a new one."""
    return closed.alert.day >= day and ActivationRule.H1 in vault.opened(work, [closed.alert])[0].codes
