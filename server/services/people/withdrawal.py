"""What a withdrawn consent ends at once, beside what asks for it anew each time.

What the law names stays: the diary, its versions, the audit. Red flags are heeded as before, and an
alert about one goes on until somebody has closed it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from sqlalchemy import select

from server.clinical.lifecycle import SuggestionAction
from server.clinical.vocabulary import Purpose, SuggestionState
from server.models import UNRESOLVED, Alert, BookingSuggestion, Patient
from server.services import vault
from server.services.alerts import alert_handling
from server.services.alerts.red_flag import is_about_one
from server.services.journal import export_link as export_links
from server.services.people import account as accounts
from server.services.people import caregiver as caregivers
from server.services.people import patient_invitation
from server.services.visits.suggestion_move import make_move
from server.services.work import Work, system

NOTE = "The patient withdrew their consent that the care team reads the diary."


def follow(work: Work, patient: Patient, purpose: Purpose, given: bool) -> None:
    """Do what the patient's word on ``purpose`` asks for. The caller holds the patient's row lock."""
    if purpose is Purpose.CARE_TEAM:
        patient.team_withdrawn_at = None if given else patient.team_withdrawn_at or work.now
        patient.version += 1
    if purpose in _ENDS_EITHER_WAY or (not given and purpose in _ENDS):
        _ENDS[purpose](work, patient)


def _from_the_team(work: Work, patient: Patient) -> None:
    """Close what only the diary's trend has raised, and take back drafts made of it."""
    clinic = replace(work, actor=system(work.clinic_id))
    unresolved = select(Alert).where(
        Alert.clinic_id == work.clinic_id,
        Alert.patient_id == patient.id,
        UNRESOLVED,
    )
    found = work.session.scalars(unresolved.order_by(Alert.family).with_for_update(key_share=True))
    for alert in vault.opened(work, list(found)):
        if not is_about_one(alert.family, alert.evidence):
            # Nobody has judged it: it has no outcome, and counts for no rule.
            alert_handling.close(clinic, alert, None, NOTE)
    drafts = select(BookingSuggestion).where(
        BookingSuggestion.clinic_id == work.clinic_id,
        BookingSuggestion.patient_id == patient.id,
        BookingSuggestion.state == SuggestionState.DRAFT,
    )
    for draft in list(work.session.scalars(drafts.with_for_update(key_share=True))):
        # Not dismissed, which would keep the next one away should the patient agree again.
        make_move(clinic, draft, SuggestionAction.EXPIRE, {"reason": NOTE})

    export_links.end_all(work, patient.id, of_others=True)
    if (account := accounts.of_patient(work, patient.id)) is not None:
        patient_invitation.heed_owner(work, account)  # the team asked for it when it still might


def _from_copies(work: Work, patient: Patient) -> None:
    export_links.end_all(work, patient.id)


def _from_copies_with_substance_use(work: Work, patient: Patient) -> None:
    # Whoever holds such a link was promised more than it would give now; after a yes, it would give more
    # than was handed to them.
    export_links.end_all(work, patient.id)


def _from_caregivers(work: Work, patient: Patient) -> None:
    caregivers.end_all(work, patient.id)


_ENDS_EITHER_WAY = frozenset({Purpose.SUBSTANCE_USE})
_ENDS: Mapping[Purpose, Callable[[Work, Patient], None]] = MappingProxyType(
    {
        Purpose.CARE_TEAM: _from_the_team,
        Purpose.CAREGIVER: _from_caregivers,
        Purpose.EXPORT: _from_copies,
        Purpose.SUBSTANCE_USE: _from_copies_with_substance_use,
    }
)
