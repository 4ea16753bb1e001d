"""Free times of the clinic's calendar beside a suggestion, for as long as they can be relied on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import and_, delete, select

from server.clinical.visit import MOST_SLOTS, Slot
from server.models import BookingSuggestion, CandidateSlot, Patient
from server.services import local_day as local_days
from server.services import vault
from server.services.work import Work

Shown = Mapping[UUID, list[Slot]]
# In one question: the patient may be erased between two.
_WITH_ZONE = (
    select(CandidateSlot, Patient.zone)
    .join(
        BookingSuggestion,
        and_(
            BookingSuggestion.clinic_id == CandidateSlot.clinic_id,
            BookingSuggestion.id == CandidateSlot.suggestion_id,
        ),
    )
    .join(
        Patient,
        and_(Patient.clinic_id == BookingSuggestion.clinic_id, Patient.id == BookingSuggestion.patient_id),
    )
)


def attach(work: Work, suggestion: BookingSuggestion, slots: Sequence[Slot], until: datetime) -> None:
    """Put ``slots`` in the place of those known before; they are shown until ``until``.

    Kept are the first few that lie ahead and inside the window. No version rises: nothing was decided.
    """
    mine = (CandidateSlot.clinic_id == work.clinic_id, CandidateSlot.suggestion_id == suggestion.id)
    work.session.execute(delete(CandidateSlot).where(*mine))
    zone = work.session.get_one(Patient, (work.clinic_id, suggestion.patient_id)).zone
    fitting = (slot for slot in slots if _fits(work, suggestion, slot, zone))
    ahead = {slot.starts_at.astimezone(UTC): slot for slot in fitting}
    for starts_at in sorted(ahead)[:MOST_SLOTS]:
        slot = ahead[starts_at]
        row = CandidateSlot(
            clinic_id=work.clinic_id,
            suggestion_id=suggestion.id,
            starts_at=starts_at,
            ends_at=slot.ends_at.astimezone(UTC),
            expires_at=until,
            external_id=slot.external_id,
        )
        vault.put(work, row, "link", slot.link)
        work.session.add(row)
    work.session.flush()


def shown(work: Work, suggestion: BookingSuggestion) -> list[Slot]:
    """Return what can still be relied on, earliest first."""
    return shown_of(work, [suggestion]).get(suggestion.id, [])


def shown_of(work: Work, suggestions: Sequence[BookingSuggestion]) -> Shown:
    """Return the same of several suggestions, by their ids."""
    known = {one.id: one for one in suggestions}
    query = _WITH_ZONE.where(
        CandidateSlot.clinic_id == work.clinic_id,
        CandidateSlot.suggestion_id.in_(known),
        CandidateSlot.expires_at > work.now,
        CandidateSlot.starts_at > work.now,
    )
    found = list(work.session.execute(query.order_by(CandidateSlot.starts_at))) if known else []
    vault.opened(work, [row for row, _ in found])
    listed: dict[UUID, list[Slot]] = {}
    for row, zone in found:
        slot = Slot(row.starts_at, row.ends_at, row.external_id, row.link)
        # The window may have been changed since.
        if _fits(work, known[row.suggestion_id], slot, zone):
            listed.setdefault(row.suggestion_id, []).append(slot)
    return listed


def _fits(work: Work, suggestion: BookingSuggestion, slot: Slot, zone: str) -> bool:
    day = local_days.of(work, slot.starts_at, zone)
    return work.now < slot.starts_at < slot.ends_at and suggestion.earliest <= day <= suggestion.latest
