"""What people do with an alert: take it on, put it off, pass it on, close it, open it again.

Every change names who and when in the alert's log. An acknowledgement holds for as long as the contact
clock, a snooze until it ends; then the alert is open again and everybody due is told anew.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from server.clinical import escalation
from server.clinical.lifecycle import ALERT_MOVES, AlertAction, move
from server.clinical.vocabulary import ARM_OF, AlertClass, AlertState, Outcome, Role
from server.models import UNRESOLVED, Account, Alert
from server.services import vault
from server.services.alerts import alert as alerts
from server.services.alerts import rota as rotas
from server.services.errors import Conflict, Invalid, Stale
from server.services.messages import delivery as deliveries
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.work import Work

CARE = (Role.CLINICIAN, Role.COORDINATOR)


def acknowledge(work: Work, alert_id: UUID, version: int | None = None) -> Alert:
    """Say "I have it": escalation stops until the contact clock has run out. Again renews it.

    A second acknowledgement by somebody else changes nothing, but for whom it was given to meanwhile: they
    take it on. With ``version``, raises Stale when the alert is no longer what the person saw: who
    acknowledged a P2 has not seen the P0 that it became.
    """
    accounts.hold_own(work)
    alert, me = alerts.get(work, alert_id, lock=True), work.actor.account_id
    after = move(ALERT_MOVES, alert.state, AlertAction.ACKNOWLEDGE)
    if alert.state is not after or alert.assigned_to == me != alert.acknowledged_by:
        _check(alert, version)
        take_on(work, alert)
    elif alert.acknowledged_by == me and alert.acknowledged_at != work.now:
        _check(alert, version)
        _hold(work, alert, contact_until(work, alert))
        alerts.log(work, alert, "acknowledged_again")
        work.audit("alert.acknowledge", alert.patient_id, alert.id)
    else:
        alerts.seen(work, alert)
    return alert


def take_on(work: Work, alert: Alert) -> None:
    """Acknowledge a locked episode that is not closed: whoever does so has it in hand, and nobody else."""
    alert.state = move(ALERT_MOVES, alert.state, AlertAction.ACKNOWLEDGE)
    _take_in_hand(work, alert)
    _hold(work, alert, contact_until(work, alert))
    alerts.log(work, alert, "acknowledged")
    work.audit("alert.acknowledge", alert.patient_id, alert.id)


def snooze(work: Work, alert_id: UUID, until: datetime, reason: str, version: int) -> Alert:
    """Put an alert off until a moment, with the reason; then it is told anew.

    What is worse gets through all the same; any other new data do not end it. Raises Invalid where
    ``until`` is past or later than the policy allows for its urgency, Stale, IllegalMove.
    """
    alert = _seen(work, alert_id, version)
    longest = escalation.longest_snooze(alert.urgency, clinics.policy(work))
    if not work.now < until <= work.now + longest:
        most = int(longest / timedelta(minutes=1))
        raise Invalid("/until", f"Must be ahead, and at the most {most} minutes for {alert.urgency}.")
    alert.state = move(ALERT_MOVES, alert.state, AlertAction.ACKNOWLEDGE)
    _hold(work, alert, until)
    alert.snoozed = True
    alerts.log(work, alert, "snoozed", {"until": until.isoformat(), "reason": reason})
    work.audit("alert.snooze", alert.patient_id, alert.id)
    return alert


def expire(work: Work, alert_id: UUID) -> bool:
    """Open an alert again whose acknowledgement or snooze has run out, and tell who is due to hear.

    False where it has not, or was renewed or closed meanwhile.
    """
    alert = alerts.get(work, alert_id, lock=True)
    if alert.state is not AlertState.ACKNOWLEDGED or not _ran_out(alert, work.now):
        return False
    open_again(work, alert)
    return True


def open_again(work: Work, alert: Alert) -> None:
    """End what somebody's word held back: the ladder of a locked, acknowledged alert begins anew."""
    alert.state = move(ALERT_MOVES, alert.state, AlertAction.EXPIRE)
    kind = "snooze_ended" if alert.snoozed else "acknowledgement_expired"
    alert.level, alert.waiting_since, alert.exhausted_at = 0, work.now, None
    alert.version += 1
    told = deliveries.enqueue(work, alert)
    let_go(alert)
    alerts.log(work, alert, kind, {"told": told})


def let_go(alert: Alert) -> None:
    """Forget who had taken it on: the log still knows."""
    alert.acknowledged_at = alert.acknowledged_by = alert.acknowledged_until = None
    alert.snoozed = False


def assign(work: Work, alert_id: UUID, account_id: UUID, note: str, version: int) -> Alert:
    """Give an unresolved alert into somebody's hands, who is told. They still have to acknowledge it."""
    alerts.get(work, alert_id)
    chosen = colleague(work, account_id)
    alert = _seen(work, alert_id, version)
    if alert.state is AlertState.RESOLVED:
        raise Conflict("resolved", "The alert is closed. Reopen it first.")
    give(work, alert, chosen, "assigned", note)
    return alert


def give(work: Work, alert: Alert, account: Account, kind: str, note: str) -> None:
    """Put a locked alert into the hands of ``account``; the log keeps the note."""
    alert.assigned_to = account.id
    alert.version += 1
    alerts.log(work, alert, kind, {"to": str(account.id), "note": note})
    work.audit(f"alert.{kind}", alert.patient_id, alert.id)
    if kind == "assigned" and account.id != work.actor.account_id:
        deliveries.call(work, account, deliveries.notice(alert, account, deliveries.ASSIGNED))


def colleague(work: Work, account_id: UUID) -> Account:
    """Return a working clinician or coordinator of the clinic, held; Invalid where there is no such."""
    found = accounts.held(work, account_id)
    if found is None or found.role not in CARE:
        raise Invalid("/account_id", "Must be a clinician or coordinator who works at the clinic.")
    return found


def resolve(work: Work, alert_id: UUID, outcome: Outcome, note: str, version: int) -> Alert:
    """Close an episode with its outcome. Raises Stale when it changed since ``version``."""
    alert = _seen(work, alert_id, version)
    close(work, alert, outcome, note)
    return alert


def close(work: Work, alert: Alert, outcome: Outcome | None, note: str) -> None:
    """Close a locked episode; ``outcome`` None: nobody judged it. Raises IllegalMove where it is closed."""
    alert.state = move(ALERT_MOVES, alert.state, AlertAction.RESOLVE)
    alert.outcome = outcome
    vault.put(work, alert, "resolution_note", note)
    alert.resolved_at, alert.resolved_by = work.now, work.actor.account_id
    alert.snoozed, alert.acknowledged_until = False, None
    alert.version += 1
    alerts.log(work, alert, "resolved", {"outcome": outcome})
    work.audit("alert.resolve", alert.patient_id, alert.id)


def reopen(work: Work, alert_id: UUID, reason: str, version: int) -> Alert:
    """Open a closed episode again: whoever does so has taken it on.

    Raises Conflict where another one of its kind is open, and for a relapse that a clinician dismissed.
    """
    accounts.hold_own(work)
    # Two of a kind are never open: what the patient reports in this moment is waited for, and waits for this.
    patients.lock(work, alerts.get(work, alert_id).patient_id)
    alert = _seen(work, alert_id, version)
    after = move(ALERT_MOVES, alert.state, AlertAction.REOPEN)
    _check_reopening(work, alert)
    before = alert.outcome
    alert.state, alert.outcome = after, None
    alert.resolved_at = alert.resolved_by = None
    vault.put(work, alert, "resolution_note", None)
    _take_in_hand(work, alert)
    _hold(work, alert, contact_until(work, alert))
    alerts.log(work, alert, "reopened", {"outcome_before": before, "reason": reason})
    work.audit("alert.reopen", alert.patient_id, alert.id)
    return alert


def _check_reopening(work: Work, alert: Alert) -> None:
    if alert.family in ARM_OF and alert.outcome in (Outcome.FALSE_ALARM, Outcome.NO_ACTION_NEEDED):
        raise Conflict("verdict-given", "What was dismissed stays dismissed; a new relapse will be told.")
    another = select(Alert.id).where(
        Alert.clinic_id == work.clinic_id,
        Alert.patient_id == alert.patient_id,
        Alert.family == alert.family,
        UNRESOLVED,
    )
    if work.session.scalar(another) is not None:
        raise Conflict("another-open", "Another alert of this kind is open for the patient.")


def contact_until(work: Work, alert: Alert) -> datetime:
    """Return until when an acknowledgement made now holds: but for an emergency, into the clinic's hours."""
    ends = work.now + escalation.acknowledged_for(alert.urgency, clinics.policy(work))
    return ends if alert.urgency is AlertClass.P0 else rotas.hours(work).next_opening(ends)


def _take_in_hand(work: Work, alert: Alert) -> None:
    """Take back what was put into somebody else's hands: it would be missed where the actor's are emptied."""
    if alert.assigned_to != work.actor.account_id:
        alert.assigned_to = None


def _hold(work: Work, alert: Alert, until: datetime) -> None:
    alert.acknowledged_at, alert.acknowledged_by = work.now, work.actor.account_id
    alert.acknowledged_until, alert.snoozed, alert.exhausted_at = until, False, None
    alert.version += 1


def _seen(work: Work, alert_id: UUID, version: int) -> Alert:
    accounts.hold_own(work)
    alert = alerts.get(work, alert_id, lock=True)
    _check(alert, version)
    return alert


def _check(alert: Alert, version: int | None) -> None:
    if version is not None and alert.version != version:
        raise Stale(alert)


def _ran_out(alert: Alert, now: datetime) -> bool:
    return alert.acknowledged_until is not None and alert.acknowledged_until <= now
