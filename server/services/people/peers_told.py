"""Whether the clinic's own system has heard how the visits of somebody who is to be erased have ended."""

from uuid import UUID

from sqlalchemy import select

from server.clinical.vocabulary import WAITING, CopyState, DeliverySubject
from server.models import BookingSuggestion, Delivery, SchedulingCopy
from server.services.work import Work


def of(work: Work, patient_id: UUID) -> bool:
    """Say whether the clinic's own system has every visit's last version, and no event of one waits."""
    key = (SchedulingCopy.clinic_id == BookingSuggestion.clinic_id) & (
        SchedulingCopy.suggestion_id == BookingSuggestion.id
    )
    mine = (BookingSuggestion.clinic_id == work.clinic_id, BookingSuggestion.patient_id == patient_id)
    copies = work.session.execute(
        select(SchedulingCopy.state, SchedulingCopy.sent_version, BookingSuggestion.version)
        .join(BookingSuggestion, key)
        .where(*mine)
    ).all()
    waiting = select(Delivery.id).where(
        Delivery.clinic_id == work.clinic_id,
        Delivery.subject == DeliverySubject.SUGGESTION,
        Delivery.subject_id.in_(select(BookingSuggestion.id).where(*mine)),
        Delivery.state.in_(WAITING),
    )
    over = (CopyState.SETTLED, CopyState.HELD)
    told = all(copy.state in over or copy.sent_version >= copy.version for copy in copies)
    return bool(copies) and told and work.session.scalar(waiting.limit(1)) is None
