"""What a patient is told of their visit by message, and who writes it: this service, or the clinic's own.

The app always shows how a visit stands; these messages only say that there is something to see. Nothing
here asks why a visit is suggested.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy.orm import Session

from server.clinical.lifecycle import OPEN_SUGGESTIONS, SuggestionAction
from server.clinical.vocabulary import (
    UNSEEN_STATES,
    AlertClass,
    DeliverySubject,
    MessagesBy,
    PatientAnswer,
    SuggestionState,
)
from server.models import BookingSuggestion, Delivery
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.visits import appointment as appointments
from server.services.visits import visit_people
from server.services.work import Work, system

OFFERED, BOOKED, CHANGED = "visit_offered", "visit_booked", "visit_changed"
TO_PATIENTS = frozenset({OFFERED, BOOKED, CHANGED})
# For the care team.
UNSEEN, UNDECIDED, DECLINED = "visit_unseen", "visit_undecided", "visit_declined"
UNARRANGED, ENDED = "visit_unarranged", "visit_ended"
# An appointment so near is told at any hour.
_NEAR = timedelta(days=1)
_APPOINTED = frozenset({SuggestionState.BOOKED, SuggestionState.ARRIVED, SuggestionState.CANCELLED})
# The clinic's own word that nothing came of a visit. What ends by itself is told where it ends.
_COMES_TO_NOTHING = frozenset({SuggestionAction.DECLINE, SuggestionAction.CANCEL, SuggestionAction.NOSHOW})
# For the patient, a visit that nobody booked in its window ends without one; so does one that another offer
# replaces, unless they may set out for a time that they were asked about.
_TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        SuggestionAction.APPROVE: OFFERED,
        SuggestionAction.PROPOSE: CHANGED,
        SuggestionAction.CHANGE: CHANGED,
        SuggestionAction.BOOK: BOOKED,
        SuggestionAction.RESCHEDULE: CHANGED,
        SuggestionAction.CANCEL: CHANGED,
        SuggestionAction.DISMISS: CHANGED,
        SuggestionAction.DECLINE: CHANGED,
    }
)


def after(work: Work, suggestion: BookingSuggestion, action: SuggestionAction) -> None:
    """Write the message that a move calls for: where this service writes them, once a version."""
    if action is SuggestionAction.ANSWER and suggestion.patient_answer is PatientAnswer.DECLINED:
        _tell_team(work, suggestion, DECLINED)
    if action in _COMES_TO_NOTHING:
        tell_ended(work, suggestion)
    template = _template(work, suggestion, action)
    if template is None or suggestion.offered_at is None:
        return
    if not _are_ours(work):
        return
    account = accounts.of_patient(work, suggestion.patient_id)
    if account is not None:
        deliveries.call(work, account, _notice(suggestion, template))


def _template(work: Work, suggestion: BookingSuggestion, action: SuggestionAction) -> str | None:
    if action is SuggestionAction.SUPERSEDE and appointments.is_agreed(suggestion, work.now):
        return CHANGED
    return _TEMPLATES.get(action)


def tell_ended(work: Work, suggestion: BookingSuggestion) -> None:
    """Tell the care team that nothing came of a visit: once, and nobody of a draft, which none was."""
    if suggestion.offered_at is not None:
        _tell_team(work, suggestion, ENDED)


def is_wanted(session: Session, now: datetime, row: Delivery) -> bool:
    """Say whether a message about a visit still says something true: nothing of one that is gone."""
    found = session.get(BookingSuggestion, (row.clinic_id, row.subject_id))
    if found is None:
        return False  # its patient was erased
    if row.template in TO_PATIENTS and not _are_ours(Work(session, now, system(row.clinic_id))):
        return False  # the clinic's own system writes by now: nobody is told twice
    if row.template == OFFERED:
        return found.state in OPEN_SUGGESTIONS
    if row.template == BOOKED:
        is_booked = found.state in (SuggestionState.BOOKED, SuggestionState.ARRIVED)
        return is_booked and found.starts_at is not None and found.starts_at > now
    if row.template == UNDECIDED:
        return found.state is SuggestionState.DRAFT
    if row.template == UNARRANGED:
        return found.state is SuggestionState.ACKNOWLEDGED
    return row.template != UNSEEN or found.state in UNSEEN_STATES


def _are_ours(work: Work) -> bool:
    return clinics.get(work).patient_messages_by is MessagesBy.US


def can_wait(work: Work, row: Delivery) -> bool:
    """Say whether a message about a visit may wait for the patient's morning: they may be about to set out.

    What an appointment was moved from is not known here: what is said of one that changed never waits.
    """
    found = work.session.get(BookingSuggestion, (row.clinic_id, row.subject_id))
    if found is None:
        return False  # its patient was erased: it need not be sent at all
    if row.template == BOOKED:
        return found.starts_at is None or found.starts_at > work.now + _NEAR
    return row.template != CHANGED or found.state not in _APPOINTED


def _tell_team(work: Work, suggestion: BookingSuggestion, template: str) -> None:
    """Tell who makes appointments, and who approved it, that it is not wanted or not to be: they decide."""
    for account in visit_people.concerned(work, suggestion):
        told = _notice(suggestion, template)
        deliveries.call(work, account, replace(told, key=f"{told.key}:{account.id}", urgency=AlertClass.P2))


def _notice(suggestion: BookingSuggestion, template: str) -> Notice:
    return Notice(
        key=f"visit:{suggestion.id}:{suggestion.version}:{template}",
        template=template,
        subject=DeliverySubject.VISIT,
        subject_id=suggestion.id,
        urgency=AlertClass.P3,
    )
