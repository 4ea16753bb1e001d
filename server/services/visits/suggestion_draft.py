"""Drafts of a visit: by the watch where symptoms return, by the plan where an interval is nearly over.

At most one is open per patient and programme. Where symptoms return while a visit waits only for the plan,
the draft for them takes its place, unless that visit is booked.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy import Boolean, and_, bindparam, or_, select
from uuid_utils.compat import uuid7

from server.clinical import maintenance
from server.clinical.lifecycle import OPEN_SUGGESTIONS, SuggestionAction
from server.clinical.vocabulary import Arm, SuggestionState
from server.models import Alert, BookingSuggestion, Patient
from server.services import local_day as local_days
from server.services.asking import of_patient
from server.services.people import clinic as clinics
from server.services.visits import course as courses
from server.services.visits import suggestion_end as suggestion_ends
from server.services.visits import suggestion_guard as suggestion_guards
from server.services.visits import visit_facts
from server.services.visits.suggestion_move import make_move, note
from server.services.watch import policy as policies
from server.services.work import Work

_REFUSED = (SuggestionState.WITHDRAWN, SuggestionState.DECLINED)
_LOCKED_SHARED = (
    select(Patient.id)
    .where(Patient.clinic_id == bindparam("clinic"), Patient.id == bindparam("patient"))
    # What the diary says is not shared after a withdrawal, and a draft would say it.
    .where(Patient.team_withdrawn_at.is_(None))
    .with_for_update(key_share=True)
)
_OF_PROGRAMME = (*of_patient(BookingSuggestion), BookingSuggestion.programme == bindparam("programme"))
_OPEN = (
    select(BookingSuggestion)
    .where(*_OF_PROGRAMME, BookingSuggestion.state.in_(sorted(OPEN_SUGGESTIONS)))
    .with_for_update(key_share=True)
)
_IS_PLANNED, _RUNS = bindparam("is_planned", type_=Boolean), BookingSuggestion.latest >= bindparam("today")
_REFUSALS = (
    select(BookingSuggestion.id)
    .where(
        *of_patient(BookingSuggestion),
        BookingSuggestion.state.in_(_REFUSED),
        or_(
            # A no to what the episode was: one that worsened, or came back after it was over, is asked anew.
            and_(
                BookingSuggestion.programme == bindparam("programme"),
                BookingSuggestion.alert_id == bindparam("alert"),
                BookingSuggestion.changed_at >= bindparam("worsened"),
            ),
            # A no to what the plan asked for was none to symptoms that return.
            and_(
                BookingSuggestion.programme == bindparam("programme"),
                _RUNS,
                or_(_IS_PLANNED, BookingSuggestion.alert_id.is_not(None)),
            ),
            # That visit would have served the other programme's plan, too.
            and_(_IS_PLANNED, _RUNS, BookingSuggestion.alert_id.is_(None)),
        ),
    )
    .limit(1)
)


def suggest_after_alert(
    work: Work, patient: Patient, alert: Alert, programme: Arm
) -> BookingSuggestion | None:
    """Draft a suggestion for the visit that a relapse alert calls for.

    None where one is open already, where a person has refused one for this episode, or where a
    session is planned in the window. An unbooked one that waits only for the plan is superseded.
    """
    return _draft(work, patient, programme, alert)


def suggest_maintenance(work: Work, patient: Patient) -> BookingSuggestion | None:
    """Draft a suggestion where a plan makes the next session due; None where none does.

    A session counts for both programmes, and so does a visit: beside an open one that comes in time none is
    due.
    """
    today = local_days.of(work, work.now, patient.zone)
    programmes = courses.programmes(work, patient.id, today)
    drafts = (_draft(work, patient, programme, None) for programme in programmes)
    return next((draft for draft in drafts if draft is not None), None)


def _draft(work: Work, patient: Patient, programme: Arm, alert: Alert | None) -> BookingSuggestion | None:
    if not _lock_shared(work, patient.id):
        return None
    today = local_days.of(work, work.now, patient.zone)
    current = _still_open(work, patient.id, programme)
    if current is not None and not _gives_way(current, alert):
        return None
    if _was_refused(work, patient.id, programme, today, alert):
        return None
    facts = visit_facts.gather(work, patient, programme, today, alert)
    if alert is None:
        facts = replace(facts, planned=[*facts.planned, *_to_come(work, patient, programme, today)])
    proposal = maintenance.review(facts, policies.of_patient(work, patient), today)
    if proposal is None:
        return None
    suggestion = _new(work, patient, programme, proposal)
    suggestion.alert_id = None if alert is None else alert.id
    if current is not None:
        make_move(work, current, SuggestionAction.SUPERSEDE, {"by": str(suggestion.id)})
    work.session.add(suggestion)
    note(work, suggestion, "draft", {"text": proposal.text})
    work.audit("booking-suggestion.draft", patient.id, suggestion.id)
    return suggestion


def _to_come(work: Work, patient: Patient, programme: Arm, today: date) -> Iterator[date]:
    """Yield from which day on an open visit of the other programme may be: it serves this one's plan, too."""
    for other in Arm:
        visit = None if other is programme else _still_open(work, patient.id, other)
        if visit is not None:
            booked = visit.starts_at and local_days.of(work, visit.starts_at, patient.zone)
            yield max(booked or visit.earliest, today)


def _new(work: Work, patient: Patient, programme: Arm, proposal: maintenance.Proposal) -> BookingSuggestion:
    return BookingSuggestion(
        clinic_id=work.clinic_id,
        id=uuid7(),
        patient_id=patient.id,
        programme=programme,
        state=SuggestionState.DRAFT,
        reason=proposal.reason,
        urgency=proposal.urgency,
        earliest=proposal.earliest,
        latest=proposal.latest,
        minutes=clinics.get(work).visit_minutes,
        blocks=suggestion_guards.plain(proposal.blocks),
        created_at=work.now,
        changed_at=work.now,
        version=1,
    )


def _gives_way(current: BookingSuggestion, alert: Alert | None) -> bool:
    """Say whether an open suggestion is superseded by one for ``alert``: returning symptoms come first."""
    return alert is not None and current.alert_id is None and current.state in suggestion_ends.UNBOOKED


def _lock_shared(work: Work, patient_id: UUID) -> bool:
    """Lock the patient, and return whether the care team may read the diary as it is now.

    Two drafts of one patient take turns here; the partial unique index is the second fence.
    """
    return bool(work.rows(_LOCKED_SHARED, patient=patient_id))


def _still_open(work: Work, patient_id: UUID, programme: Arm) -> BookingSuggestion | None:
    """Return the open suggestion, if any; one whose time has passed is ended here and is not."""
    current = next(iter(work.objects(_OPEN, patient=patient_id, programme=programme)), None)
    if current is None or not suggestion_ends.is_over(work, current):
        return current
    suggestion_ends.expire(work, current)
    return None


def _was_refused(work: Work, patient_id: UUID, programme: Arm, today: date, alert: Alert | None) -> bool:
    """Say whether a person said no, to this episode or to a window that still runs.

    Without this, every entry of a bad week would put the dismissed suggestion back on the desk.
    """
    told = None if alert is None else alert.worsened_at
    episode = {"alert": None if alert is None else alert.id, "worsened": told}
    asked = {"today": today, "is_planned": alert is None, **episode}
    return bool(work.rows(_REFUSALS, patient=patient_id, programme=programme, **asked))
