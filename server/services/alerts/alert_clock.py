"""What a clock that was ahead wrote of an alert holds as of now, once the clock is right.

Else its ladder, or the word that somebody gave, would begin at the hour that the clock had shown.
"""

from server.clinical import escalation
from server.clinical.vocabulary import AlertState
from server.models import Alert
from server.services import clock_ahead
from server.services.alerts import alert_handling
from server.services.people import clinic as clinics
from server.services.work import Work


def is_ahead(work: Work, alert: Alert) -> bool:
    """Say whether an unresolved alert begins to wait, or was taken on, at a moment still to come."""
    since = alert.acknowledged_at if alert.state is AlertState.ACKNOWLEDGED else alert.waiting_since
    return since is not None and clock_ahead.wrote(work, since)


def put_right(work: Work, alert: Alert) -> None:
    """Let a locked alert that is ahead wait, or be in somebody's hands, from now on; else change nothing."""
    if not is_ahead(work, alert):
        return
    if alert.state is AlertState.ACKNOWLEDGED:
        _shorten(work, alert)
    else:
        alert.waiting_since = work.now
    alert.version += 1


def _shorten(work: Work, alert: Alert) -> None:
    longest = (
        work.now + escalation.longest_snooze(alert.urgency, clinics.policy(work))
        if alert.snoozed
        else alert_handling.contact_until(work, alert)
    )
    alert.acknowledged_at = work.now
    alert.acknowledged_until = min(alert.acknowledged_until or longest, longest)
