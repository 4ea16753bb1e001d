"""A message that reached nobody: it ends, the alert's log says so, and somebody is told another way."""

from sqlalchemy import update

from server.clinical.lifecycle import DELIVERY_MOVES, DeliveryAction, move
from server.clinical.vocabulary import EVENT_SUBJECTS, DeliverySubject
from server.models import Delivery
from server.services.alerts import alert as alerts
from server.services.alerts import escalation as escalations
from server.services.alerts import release as releases
from server.services.journal import reminder as reminders
from server.services.messages import delivery as deliveries
from server.services.messages import delivery_patient, number_code
from server.services.messages.delivery import CALLS
from server.services.work import Work

EXPIRED, NOT_NEEDED, POISON, RETIRED = "expired", "not_needed", "poison", "retired"
# An error of our own about a message: the same error will come again.
DEFECT, MOST_DEFECTS = "defect", 3
# For each that ends somebody is told another way. All of a storm in one transaction would keep whoever
# writes, or takes one of its alerts on, waiting for up to a minute.
MOST_ENDED = 50
# The patient does not want to be written to this way: another one of theirs is tried.
WITHDRAWN = "consent_withdrawn"
# Ends that nobody need hear of: it would have said nothing any more.
SILENT = frozenset({EXPIRED, NOT_NEEDED})
_KINDS = {
    DeliveryAction.GIVE_UP: "delivery_given_up",
    DeliveryAction.FAIL: "delivery_failed",
    DeliveryAction.MISS: "delivery_unknown",
}


def end(work: Work, row: Delivery, failure: str, action: DeliveryAction = DeliveryAction.GIVE_UP) -> None:
    """End a delivery with the reason, and let whoever should have heard be told another way.

    Others of its bundle go their own ways again.
    """
    row.state = move(DELIVERY_MOVES, row.state, action)
    row.finished_at, row.lease_until, row.failure = work.now, None, failure
    row.sealed_secret = None
    free_bundle(work, row)
    if failure not in SILENT:
        _react(work, row, _KINDS[action])


def free_bundle(work: Work, head: Delivery) -> None:
    """Let the others of a bundle stand for themselves again."""
    if head.bundle_id != head.id:
        return
    work.session.execute(
        update(Delivery)
        .where(Delivery.clinic_id == head.clinic_id, Delivery.bundle_id == head.id, Delivery.id != head.id)
        .values(bundle_id=None)
    )


def _react(work: Work, row: Delivery, kind: str) -> None:
    work.session.flush()
    if row.subject is DeliverySubject.RECOVERY or row.template == number_code.TEMPLATE:
        return  # the link, or the code, may go to that address alone
    if row.sealed_to is not None:
        return  # nor may this
    if row.subject in EVENT_SUBJECTS:
        return  # the inbox has it; nobody is told by mail of what a system did not hear
    if row.subject is not DeliverySubject.ALERT:
        _tell_again(work, row)
        return
    alert = alerts.of_somebody_here(work, row.subject_id)
    if alert is None:
        return  # of one who leaves nobody is told any more
    detail = {"delivery": str(row.id), "channel": row.channel, "reason": row.failure}
    alerts.log(work, alert, kind, detail)
    if row.template in CALLS:
        escalations.lost(work, alert.id)
    elif deliveries.next_way(work, row) is None:
        escalations.lost(work, alert.id)
        releases.unheard(work, row)


def _tell_again(work: Work, row: Delivery) -> None:
    """Tell whoever should have heard of anything but an alert another way, unless its patient leaves."""
    if not delivery_patient.stays(work, row):
        return
    again = deliveries.next_way(work, row)
    if again is not None and row.subject is DeliverySubject.REMINDER:
        reminders.move(work, row, again)
    if again is None and row.subject is DeliverySubject.SHIFT:
        releases.unheard(work, row)
