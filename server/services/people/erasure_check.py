"""What speaks against erasing a patient: the law, a danger, or a visit that takes place."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select

from server.clinical.lifecycle import OPEN_SUGGESTIONS
from server.clinical.vocabulary import AlertClass, SuggestionState
from server.models import UNRESOLVED, Alert, BookingSuggestion
from server.services.errors import Conflict
from server.services.people import clinic as clinics
from server.services.people import legal_hold as legal_holds
from server.services.work import Work

TAKING_PLACE = (SuggestionState.BOOKED, SuggestionState.ARRIVED)


def check(work: Work, patient_id: UUID) -> None:
    """Raise Conflict where something speaks against it; no visit moves meanwhile."""
    if not is_closed(work):
        open_visits(work, patient_id)
    if (against := obstacle(work, patient_id)) is not None:
        raise against


def obstacle(work: Work, patient_id: UUID) -> Conflict | None:
    """Return what speaks against it now, None where nothing does. Only reads."""
    if legal_holds.is_held(work, patient_id):
        return Conflict("legal-hold", "A legal hold stands. Nothing of this patient may be erased.")
    if is_closed(work):
        return None  # nobody is left who could close an alert or settle a visit
    urgent = select(Alert.id).where(
        Alert.clinic_id == work.clinic_id,
        Alert.patient_id == patient_id,
        UNRESOLVED,
        Alert.urgency.in_((AlertClass.P0, AlertClass.P1)),
    )
    if work.session.scalar(urgent.limit(1)) is not None:
        return Conflict("alert-open", "An urgent alert is open. The care team has to close it first.")
    booked = _visits(work, patient_id, TAKING_PLACE).with_only_columns(BookingSuggestion.id)
    if work.session.scalar(booked.limit(1)) is not None:
        return Conflict("visit-booked", "A visit is booked. Cancel it, or record it, first.")
    return None


def is_closed(work: Work) -> bool:
    """Return whether the clinic itself is gone."""
    return clinics.get(work).erased_at is not None


def open_visits(work: Work, patient_id: UUID) -> Sequence[BookingSuggestion]:
    """Return a patient's visits that are not over, locked."""
    query = _visits(work, patient_id, sorted(OPEN_SUGGESTIONS))
    return list(work.session.scalars(query.with_for_update(key_share=True)))


def _visits(work: Work, patient_id: UUID, states: Sequence[SuggestionState]) -> Select[BookingSuggestion]:
    return select(BookingSuggestion).where(
        BookingSuggestion.clinic_id == work.clinic_id,
        BookingSuggestion.patient_id == patient_id,
        BookingSuggestion.state.in_(states),
    )
