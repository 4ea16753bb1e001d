"""Visits that wait too long: for a clinician's decision, for somebody's look, or for an appointment.

The care team hears, in its hours.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from server.clinical import unseen
from server.clinical.unseen import Waiting
from server.clinical.vocabulary import UNSEEN_STATES, AlertClass, DeliverySubject, Role, SuggestionState
from server.models import Account, BookingSuggestion, Patient
from server.services.alerts import rota as rotas
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.visits import visit_people
from server.services.visits.suggestion_move import note, of_somebody_here
from server.services.visits.visit_message import UNARRANGED, UNDECIDED, UNSEEN
from server.services.work import Work

_WAITS = frozenset({*UNSEEN_STATES, SuggestionState.ACKNOWLEDGED, SuggestionState.DRAFT})


def due(work: Work) -> Sequence[UUID]:
    """Return the suggestions that are to be told of now: none outside the clinic's hours."""
    if not rotas.hours(work).is_open(work.now):
        return []
    query = select(BookingSuggestion).where(
        BookingSuggestion.clinic_id == work.clinic_id,
        BookingSuggestion.state.in_(sorted(_WAITS)),
    )
    found = work.session.scalars(query.order_by(BookingSuggestion.id))
    return [suggestion.id for suggestion in found if _round(work, suggestion) is not None]


def tell(work: Work, suggestion_id: UUID) -> int:
    """Tell whose turn it is: clinicians of a draft, else coordinators and who approved it; return how many.

    0 where somebody has looked in the meantime, another worker was first, or the patient leaves. It moves
    nothing, and the alert behind it stays as it is.
    """
    suggestion = of_somebody_here(work, suggestion_id)
    number = None if suggestion is None else _round(work, suggestion)
    if suggestion is None or number is None:
        return 0
    key = f"{_template(suggestion)}:{suggestion.id}:{suggestion.version}:{number}"
    told = [_tell(work, suggestion, key, account) for account in _people(work, suggestion)]
    suggestion.unseen_told_at = work.now
    name = "unseen" if suggestion.unarranged_since is None else "unarranged"
    note(work, suggestion, name, {"told": sum(told)})
    work.audit("booking-suggestion.unseen", suggestion.patient_id, suggestion.id)
    return sum(told)


def _round(work: Work, suggestion: BookingSuggestion) -> int | None:
    in_hand = suggestion.unarranged_since
    since = suggestion.unseen_since or suggestion.undecided_since or in_hand
    if since is None:
        return None
    told_at, urgency = suggestion.unseen_told_at, AlertClass(suggestion.urgency)
    waiting = Waiting(since, told_at, urgency, in_hand is not None)
    return unseen.due_round(waiting, clinics.policy(work), work.now)


def _people(work: Work, suggestion: BookingSuggestion) -> Sequence[Account]:
    """Return who is told, each once; every clinician where none of them works here any more."""
    if suggestion.undecided_since is not None:
        return _deciders(work, suggestion)
    return visit_people.concerned(work, suggestion)


def _deciders(work: Work, suggestion: BookingSuggestion) -> Sequence[Account]:
    """Return the patient's clinician; every clinician where they have none who works here."""
    patient = work.session.get_one(Patient, (work.clinic_id, suggestion.patient_id))
    own = accounts.working(work, [] if patient.clinician_id is None else [patient.clinician_id])
    return list(own.values()) or accounts.recipients(work, {Role.CLINICIAN})


def _template(suggestion: BookingSuggestion) -> str:
    if suggestion.undecided_since is not None:
        return UNDECIDED
    return UNSEEN if suggestion.unarranged_since is None else UNARRANGED


def _tell(work: Work, suggestion: BookingSuggestion, key: str, account: Account) -> bool:
    urgency = AlertClass.P3 if suggestion.urgency == AlertClass.P3 else AlertClass.P2
    told = Notice(f"{key}:{account.id}", _template(suggestion), DeliverySubject.VISIT, suggestion.id, urgency)
    return deliveries.call(work, account, told) is not None
