"""Messages to the staff that nobody has taken for too long: they are told another way meanwhile.

The calls of an alert are `alerts.escalation`'s. What goes to a system, a patient or one address alone waits.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from server.clinical import escalation
from server.clinical.vocabulary import EVENT_SUBJECTS, TAKEN, WAITING, Channel, DeliverySubject
from server.models import Delivery
from server.services.messages import delivery as deliveries
from server.services.messages import delivery_patient
from server.services.messages import number_code as number_codes
from server.services.messages.delivery import CALLS
from server.services.people import clinic as clinics
from server.services.work import Work

# Of pages every way is told at once.
_WAIT = (*EVENT_SUBJECTS, DeliverySubject.RECOVERY, DeliverySubject.OPERATIONS)


def due(work: Work) -> Sequence[UUID]:
    """Return the messages of the clinic that have waited too long, and whose notice has gone no other way."""
    before = work.now - escalation.next_way_after(clinics.policy(work))
    query = (
        select(Delivery)
        .where(*deliveries.waiting_of_staff(work))
        .where(Delivery.subject.not_in(_WAIT), Delivery.sealed_to.is_(None))
        .where(Delivery.template.not_in({*CALLS, number_codes.TEMPLATE}))
        # E-mail is everybody's last way.
        .where(Delivery.channel != Channel.EMAIL, deliveries.could_leave() <= before)
        .order_by(Delivery.urgency, Delivery.created_at, Delivery.id)
    )
    return [row.id for row in work.session.scalars(query) if _is_newest(work, row)]


def spread(work: Work, delivery_id: UUID) -> bool:
    """Tell the recipient of a message over their next way. False where it is taken, or over, by now."""
    mine = Delivery.clinic_id == work.clinic_id, Delivery.id == delivery_id
    row = work.session.scalar(select(Delivery).where(*mine))
    if row is None or not delivery_patient.stays(work, row):
        return False
    # Of two who look at the same moment one would take a way that the other has just taken for tried. Who has
    # it in hand now is not waited for: there is a next look.
    held = select(Delivery).where(*mine).with_for_update(skip_locked=True)
    row = work.session.scalar(held.execution_options(populate_existing=True))
    if row is None or row.state not in WAITING or not _is_newest(work, row):
        return False
    return deliveries.next_way(work, row) is not None


def _is_newest(work: Work, row: Delivery) -> bool:
    base = deliveries.base_of(row)
    same = [one for one in deliveries.about(work, row.subject_id) if deliveries.base_of(one) == base]
    return not any(one.state in TAKEN or one.created_at > row.created_at for one in same)
