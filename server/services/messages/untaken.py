"""Messages to the staff that nobody has taken for too long: they are told another way meanwhile.

The calls of an alert are `alerts.escalation`'s. What goes to a system, a patient or one address alone waits.
"""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.util import AliasedClass

from server.clinical import escalation
from server.clinical.vocabulary import EVENT_SUBJECTS, TAKEN, WAITING, Channel, DeliverySubject
from server.models import Clinic, Delivery
from server.services.messages import delivery as deliveries
from server.services.messages import delivery_patient
from server.services.messages import number_code as number_codes
from server.services.messages.delivery import CALLS
from server.services.people import clinic as clinics
from server.services.work import Work

# Of pages every way is told at once.
_WAIT = (*EVENT_SUBJECTS, DeliverySubject.RECOVERY, DeliverySubject.OPERATIONS)
# Letters that the id of a contact point takes in a key, with its colon.
_ID = 37


def clinics_concerned(session: Session) -> Sequence[UUID]:
    """Return the clinics with a message that waits, to whomever."""
    return clinics.those(
        session, Clinic.id.in_(select(Delivery.clinic_id).where(Delivery.state.in_(WAITING)))
    )


def due(work: Work) -> Sequence[UUID]:
    """Return the messages of the clinic that have waited too long, and whose notice has gone no other way."""
    before = work.now - escalation.next_way_after(clinics.policy(work))
    query = (
        select(Delivery.id)
        .where(*deliveries.waiting_of_staff(work), _is_newest())
        .where(Delivery.subject.not_in(_WAIT), Delivery.sealed_to.is_(None))
        .where(Delivery.template.not_in({*CALLS, number_codes.TEMPLATE}))
        # E-mail is everybody's last way.
        .where(Delivery.channel != Channel.EMAIL, deliveries.could_leave() <= before)
        .order_by(Delivery.urgency, Delivery.created_at, Delivery.id)
    )
    return work.session.scalars(query).all()


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
    if row is None or row.state not in WAITING:
        return False
    if work.session.scalar(select(Delivery.id).where(*mine, _is_newest())) is None:
        return False
    return deliveries.next_way(work, row) is not None


@cache
def _is_newest() -> ColumnElement[bool]:
    """Return what holds for a message whose notice nobody took another way, or was told another way since.

    Of all that wait it is asked at once: there may be thousands, which went another way long ago.
    """
    other = aliased(Delivery)
    return ~exists().where(
        *(other.clinic_id == Delivery.clinic_id, other.subject_id == Delivery.subject_id),
        _base(other) == _base(Delivery),
        or_(other.state.in_(TAKEN), other.created_at > Delivery.created_at),
    )


def _base(row: type[Delivery] | AliasedClass[Delivery]) -> ColumnElement[str]:
    """Return what `deliveries.base_of` does: the key without the way, which stands at its end."""
    way = func.length(row.channel) + case((row.contact_id.is_(None), 0), else_=_ID)
    return func.substr(row.key, 1, func.length(row.key) - way - 1)
