"""What a clinician says of a relapse alert: confirmed, or dismissed, with the reason.

Closing one with an outcome says it too. The patient's row is locked before the alert's, as an entry
does, so that a verdict and a finding take turns.
"""

from uuid import UUID

from server.clinical.vocabulary import ARM_OF, AlertState, MovedBy, Outcome, Stage, Verdict
from server.models import Alert, Patient, WatchMove
from server.services import local_day as local_days
from server.services import vault
from server.services.alerts import alert as alerts
from server.services.alerts import alert_handling
from server.services.errors import Conflict, Stale
from server.services.people import account as accounts
from server.services.people import patient as patients
from server.services.watch import assessment as assessments
from server.services.watch import policy as policies
from server.services.watch import watch_move as watch_moves
from server.services.work import Work

_NO_RELAPSE = frozenset({Outcome.FALSE_ALARM, Outcome.NO_ACTION_NEEDED})


def give(work: Work, alert_id: UUID, verdict: Verdict, reason: str, version: int) -> Alert:
    """Confirm or dismiss what a relapse alert says; a dismissal closes it as a false alarm.

    The same verdict again changes nothing. Raises Conflict for another one, and for an alert of
    another family; Stale when the alert changed since ``version``; IllegalMove when it is closed.
    """
    alert, patient = _lock(work, alert_id)
    if alert.family not in ARM_OF:
        raise Conflict("no-verdict", "Only an alert about a relapse is confirmed or dismissed.")
    known = watch_moves.verdict_of(work, patient.id, alert)
    if known is verdict:
        alerts.seen(work, alert)
        return alert
    if known is not None:
        raise Conflict("verdict-given", f"It was {known} before. What a clinician said stays said.")
    if alert.version != version:
        raise Stale(alert)
    if verdict is Verdict.CONFIRMED and alert.state is not AlertState.ACKNOWLEDGED:
        alert_handling.take_on(work, alert)
    alerts.log(work, alert, str(verdict), {"reason": reason})
    work.audit(f"alert.{verdict}", patient.id, alert.id)
    if verdict is Verdict.DISMISSED:
        alert_handling.close(work, alert, Outcome.FALSE_ALARM, reason)
    else:
        alert.version += 1
    _move(work, patient, alert, verdict, reason)
    return alert


def resolve(work: Work, alert_id: UUID, outcome: Outcome, note: str, version: int) -> Alert:
    """Close an episode with its outcome, which of a relapse is a verdict as well.

    Raises Stale when it changed since ``version``.
    """
    _, patient = _lock(work, alert_id)
    alert = alert_handling.resolve(work, alert_id, outcome, note, version)
    if alert.family not in ARM_OF:
        return alert
    verdict = Verdict.DISMISSED if outcome in _NO_RELAPSE else Verdict.CONFIRMED
    if watch_moves.verdict_of(work, patient.id, alert) is not verdict:
        _move(work, patient, alert, verdict, note)
    return alert


def _lock(work: Work, alert_id: UUID) -> tuple[Alert, Patient]:
    accounts.hold_own(work)
    patient = patients.lock(work, alerts.get(work, alert_id).patient_id)
    return alerts.get(work, alert_id, lock=True), patient


def _move(work: Work, patient: Patient, alert: Alert, verdict: Verdict, reason: str) -> None:
    row, latest = (
        _row(work, patient, alert, verdict),
        assessments.latest(work, patient.id, ARM_OF[alert.family]),
    )
    found = {"alert": str(alert.id), "alert_evidence": alert.evidence}
    # What the alert opened with, and what the data say by now: a verdict is given on both.
    found |= {"latest": latest.evidence} if latest else {}
    vault.put(work, row, "evidence", found)
    text = f"{verdict} by a clinician: {alert.summary}"
    vault.put(work, row, "text", f"{text} Latest: {latest.text}" if latest else text)
    vault.put(work, row, "reason", reason)
    work.session.add(row)
    work.session.flush()


def _row(work: Work, patient: Patient, alert: Alert, verdict: Verdict) -> WatchMove:
    arm = ARM_OF[alert.family]
    today = local_days.of(work, work.now, patient.zone)
    day = max(today, alert.day)  # a phone's clock may run ahead: a verdict never comes before its finding
    policy, before = policies.of_patient(work, patient), watch_moves.stage_after(work, patient.id, arm, day)
    return WatchMove(
        clinic_id=work.clinic_id,
        patient_id=patient.id,
        arm=arm,
        day=day,
        by=MovedBy.CLINICIAN,
        before=before,
        after=Stage(verdict),
        begun=before,
        data_version=patient.change_counter,
        policy_version=policy.version,
        patient_policy_version=policy.patient_version,
        corrects=False,
        alert_id=alert.id,
        account_id=work.actor.account_id,
        made_at=work.now,
    )
