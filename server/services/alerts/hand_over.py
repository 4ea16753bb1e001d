"""The end of somebody's shift: what they have in hand goes to a colleague, with a note."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import AlertClass, DeliverySubject
from server.models import UNRESOLVED, Alert
from server.services import vault
from server.services.alerts import alert_handling
from server.services.alerts import shift as shifts
from server.services.errors import Invalid
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.work import Work


@dataclass(frozen=True, slots=True)
class HandOver:
    """What changed hands. ``shift_ends``: until when the colleague is on call in the actor's place."""

    account_id: UUID
    alerts: Sequence[UUID]
    shift_ends: datetime | None


def give(work: Work, account_id: UUID, note: str) -> HandOver:
    """Give all unresolved alerts in the actor's hands, and the rest of their shift, to a colleague.

    The note stands in the log of every one of them. The colleague is told once. What the actor had
    acknowledged stays acknowledged, for as long as it would have.
    """
    if account_id == work.actor.account_id:
        raise Invalid("/account_id", "Must be somebody else.")
    clinics.lock(work)  # a shift is passed on under it; who closes an account takes it first too
    accounts.hold_own(work)
    colleague = alert_handling.colleague(work, account_id)
    found = _in_hand(work)
    for alert in found:
        alert_handling.give(work, alert, colleague, "handed_over", note)
    ends = shifts.pass_on(work, account_id)
    told = Notice(
        key=f"hand_over:{uuid7()}",
        template="handed_over",
        subject=DeliverySubject.SHIFT,
        subject_id=colleague.id,
        urgency=min((alert.urgency for alert in found), default=AlertClass.P2),
    )
    deliveries.call(work, colleague, told)
    work.audit("shift.hand_over", object_id=account_id)
    return HandOver(account_id, [alert.id for alert in found], ends)


def _in_hand(work: Work) -> Sequence[Alert]:
    me = work.actor.account_id
    mine = or_(Alert.assigned_to == me, and_(Alert.assigned_to.is_(None), Alert.acknowledged_by == me))
    query = (
        select(Alert)
        .where(Alert.clinic_id == work.clinic_id, UNRESOLVED, mine, patients.is_here(Alert))
        .order_by(Alert.urgency, Alert.opened_at, Alert.id)
        .with_for_update(key_share=True)
    )
    return vault.opened(work, list(work.session.scalars(query)))
