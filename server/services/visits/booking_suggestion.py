"""Booking suggestions: drafted by the watch or the calendar, decided by a clinician, ended by what happens.

What the clinic's scheduling system does with them is in `inbox`. No move here ever touches the
alert behind a suggestion: withdrawing or expiring a visit does not make symptoms go away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import and_, bindparam, or_, select
from uuid_utils.compat import uuid7

from server.clinical import maintenance
from server.clinical.guards import blocks_of
from server.clinical.lifecycle import OPEN_SUGGESTIONS, SUGGESTION_MOVES, SuggestionAction, move
from server.clinical.vocabulary import Arm, SuggestionState
from server.models import Alert, BookingSuggestion, BookingSuggestionEvent, Patient, TreatmentSession
from server.services import local_day as local_days
from server.services import vault
from server.services.alerts import alert as alerts
from server.services.asking import of_patient
from server.services.errors import Blocked, NotFound
from server.services.people import account as accounts
from server.services.visits import course as courses
from server.services.visits import visit_facts
from server.services.visits.suggestion_move import check_version, events, locked, make_change, make_move, note
from server.services.watch import policy as policies
from server.services.work import Work

# How long a booked visit may stay unreported before it ends, so that it can't block later ones.
REPORT_GRACE = timedelta(days=14)
_REFUSED = (SuggestionState.WITHDRAWN, SuggestionState.DECLINED)
_VISITING = (SuggestionState.BOOKED, SuggestionState.ARRIVED)
_UNBOOKED = OPEN_SUGGESTIONS - frozenset(_VISITING)
_LOCKED_PATIENT = (
    select(Patient.id)
    .where(Patient.clinic_id == bindparam("clinic"), Patient.id == bindparam("patient"))
    .with_for_update(key_share=True)
)
_OF_PROGRAMME = (*of_patient(BookingSuggestion), BookingSuggestion.programme == bindparam("programme"))
_OPEN = (
    select(BookingSuggestion)
    .where(*_OF_PROGRAMME, BookingSuggestion.state.in_(sorted(OPEN_SUGGESTIONS)))
    .with_for_update(key_share=True)
)
_REFUSALS = (
    select(BookingSuggestion.id)
    .where(
        *_OF_PROGRAMME,
        BookingSuggestion.state.in_(_REFUSED),
        or_(BookingSuggestion.latest >= bindparam("today"), BookingSuggestion.alert_id == bindparam("alert")),
    )
    .limit(1)
)


def suggest_after_alert(
    work: Work, patient: Patient, alert: Alert, programme: Arm
) -> BookingSuggestion | None:
    """Draft a suggestion for the visit that a relapse alert calls for.

    None where one is open already, where a person has refused one for this episode, or where a
    session is planned in the window.
    """
    return _draft(work, patient, programme, alert)


def suggest_maintenance(work: Work, patient: Patient) -> BookingSuggestion | None:
    """Draft a suggestion where the active course's next session is due; None where it is not."""
    course = courses.active(work, patient.id)
    if course is None:
        return None
    return _draft(work, patient, course.condition.programme, None)


def get(work: Work, suggestion_id: UUID) -> BookingSuggestion:
    """Return one suggestion of the actor's clinic, or raise NotFound."""
    suggestion = work.session.get(BookingSuggestion, (work.clinic_id, suggestion_id))
    if suggestion is None:
        raise NotFound("booking suggestion")
    vault.opened(work, [suggestion])
    return suggestion


@dataclass(frozen=True, slots=True)
class Record:
    """A suggestion with its log and the names of the people in it."""

    suggestion: BookingSuggestion
    events: Sequence[BookingSuggestionEvent]
    names: Mapping[UUID | None, str]


def record(work: Work, suggestion_id: UUID) -> Record:
    """Return everything about one suggestion. Audited."""
    suggestion = get(work, suggestion_id)
    work.audit("booking-suggestion.read", suggestion.patient_id, suggestion.id)
    moves = events(work, suggestion_id)
    return Record(suggestion, moves, accounts.names(work, (row.account_id for row in moves)))


def page(
    work: Work, state: SuggestionState | None, patient_id: UUID | None, after: UUID | None, size: int
) -> Sequence[BookingSuggestion]:
    """Return suggestions in the order they were made, all states unless ``state`` is given."""
    query = select(BookingSuggestion).where(BookingSuggestion.clinic_id == work.clinic_id)
    if state is not None:
        query = query.where(BookingSuggestion.state == state)
    if patient_id is not None:
        query = query.where(BookingSuggestion.patient_id == patient_id)
    if after is not None:
        query = query.where(BookingSuggestion.id > after)
    return vault.opened(work, list(work.session.scalars(query.order_by(BookingSuggestion.id).limit(size))))


def approve(work: Work, suggestion_id: UUID, version: int, override_reason: str | None) -> BookingSuggestion:
    """Let a draft go to the clinic's scheduling system.

    The guards are asked again: a draft of last week must not pass what was reported since. With any
    block it needs a reason (not blank), else raises Blocked; Stale when it changed since ``version``.
    """
    suggestion = locked(work, suggestion_id)
    check_version(suggestion, version)
    move(SUGGESTION_MOVES, suggestion.state, SuggestionAction.APPROVE)
    suggestion.blocks = _blocks_now(work, suggestion)
    reason = (override_reason or "").strip() or None
    if suggestion.blocks and reason is None:
        raise Blocked(suggestion)
    _decide(work, suggestion, reason)
    overridden = [block["code"] for block in suggestion.blocks]
    make_move(work, suggestion, SuggestionAction.APPROVE, {"reason": reason, "overridden": overridden})
    return suggestion


def dismiss(work: Work, suggestion_id: UUID, version: int, reason: str) -> BookingSuggestion:
    """Withdraw a suggestion that has no booked visit. The alert behind it stays as it is."""
    suggestion = locked(work, suggestion_id)
    check_version(suggestion, version)
    make_move(work, suggestion, SuggestionAction.DISMISS, {"reason": reason})
    _decide(work, suggestion, reason)
    return suggestion


def fulfil_with(work: Work, session: TreatmentSession) -> BookingSuggestion | None:
    """Fulfil the booked visit that a delivered session is; None where no visit was booked.

    A session from before the suggestion was made is none of its outcome. Where the scheduling
    system reported the visit as done first, only the link is added.
    """
    done_lately = and_(
        BookingSuggestion.state == SuggestionState.FULFILLED,
        BookingSuggestion.starts_at > session.at - REPORT_GRACE,
    )
    found = select(BookingSuggestion).where(
        BookingSuggestion.clinic_id == work.clinic_id,
        BookingSuggestion.patient_id == session.patient_id,
        or_(BookingSuggestion.state.in_(_VISITING), done_lately),
        BookingSuggestion.treatment_session_id.is_(None),
        BookingSuggestion.created_at <= session.at,
    )
    booked = list(work.session.scalars(found.with_for_update(key_share=True)))
    if not booked:
        return None
    suggestion = min(booked, key=lambda s: (abs((s.starts_at or s.changed_at) - session.at), s.id))
    suggestion.treatment_session_id = session.id
    if suggestion.state is SuggestionState.FULFILLED:
        make_change(work, suggestion, "link", {"treatment_session": str(session.id)})
    else:
        make_move(work, suggestion, SuggestionAction.FULFIL, {"treatment_session": str(session.id)})
    return suggestion


def expire_overdue(work: Work) -> int:
    """End suggestions whose window has passed unbooked, or whose booked visit was never reported.

    The last day of a window is the patient's own. Returns how many ended; running again ends none.
    """
    tomorrow = work.now.date() + timedelta(days=1)
    state = BookingSuggestion.state
    overdue = or_(
        and_(state.in_(_UNBOOKED), BookingSuggestion.latest < tomorrow),
        and_(state == SuggestionState.BOOKED, BookingSuggestion.starts_at < work.now - REPORT_GRACE),
    )
    query = select(BookingSuggestion).where(BookingSuggestion.clinic_id == work.clinic_id, overdue)
    found = work.session.scalars(query.order_by(BookingSuggestion.id).with_for_update(key_share=True))
    ended = [suggestion for suggestion in found if _is_over(work, suggestion)]
    for suggestion in ended:
        make_move(work, suggestion, SuggestionAction.EXPIRE)
    return len(ended)


def _draft(work: Work, patient: Patient, programme: Arm, alert: Alert | None) -> BookingSuggestion | None:
    today = local_days.of(work, work.now, patient.zone)
    _lock_patient(work, patient.id)
    if _still_open(work, patient.id, programme) or _was_refused(work, patient.id, programme, today, alert):
        return None
    policy = policies.of_patient(work, patient)
    facts = visit_facts.gather(work, patient, programme, today, alert)
    proposal = maintenance.review(facts, policy, today)
    if proposal is None:
        return None
    suggestion = BookingSuggestion(
        clinic_id=work.clinic_id,
        id=uuid7(),
        patient_id=patient.id,
        programme=programme,
        alert_id=None if alert is None else alert.id,
        state=SuggestionState.DRAFT,
        reason=proposal.reason,
        urgency=proposal.urgency,
        earliest=proposal.earliest,
        latest=proposal.latest,
        blocks=_plain(proposal.blocks),
        created_at=work.now,
        changed_at=work.now,
        version=1,
    )
    work.session.add(suggestion)
    note(work, suggestion, "draft", {"text": proposal.text})
    work.audit("booking-suggestion.draft", patient.id, suggestion.id)
    return suggestion


def _lock_patient(work: Work, patient_id: UUID) -> None:
    # Two drafts of one patient take turns here; the partial unique index is the second fence.
    work.rows(_LOCKED_PATIENT, patient=patient_id)


def _still_open(work: Work, patient_id: UUID, programme: Arm) -> bool:
    """Say whether a suggestion is open; one whose time has passed is ended here and is not."""
    current = next(iter(work.objects(_OPEN, patient=patient_id, programme=programme)), None)
    if current is None or not _is_over(work, current):
        return current is not None
    make_move(work, current, SuggestionAction.EXPIRE)
    return False


def _is_over(work: Work, suggestion: BookingSuggestion) -> bool:
    if suggestion.state in _UNBOOKED:
        return suggestion.latest < _today(work, suggestion.patient_id)
    if suggestion.state is not SuggestionState.BOOKED or suggestion.starts_at is None:
        return False
    return suggestion.starts_at + REPORT_GRACE < work.now


def _was_refused(work: Work, patient_id: UUID, programme: Arm, today: date, alert: Alert | None) -> bool:
    """Say whether a person said no, to this episode or to a window that still runs.

    Without this, every entry of a bad week would put the dismissed suggestion back on the desk.
    """
    alert_id = None if alert is None else alert.id
    refused = work.rows(_REFUSALS, patient=patient_id, programme=programme, today=today, alert=alert_id)
    return bool(refused)


def _blocks_now(work: Work, suggestion: BookingSuggestion) -> list[dict[str, str]]:
    patient = work.session.get_one(Patient, (work.clinic_id, suggestion.patient_id))
    policy, today = policies.of_patient(work, patient), local_days.of(work, work.now, patient.zone)
    alert = None
    if suggestion.alert_id is not None:
        alert = alerts.get(work, suggestion.alert_id)
    facts = visit_facts.gather(work, patient, suggestion.programme, today, alert)
    return _plain(blocks_of(facts, policy, today))


def _plain(blocks: Sequence[maintenance.Block]) -> list[dict[str, str]]:
    return [{key: str(value) for key, value in asdict(block).items()} for block in blocks]


def _decide(work: Work, suggestion: BookingSuggestion, reason: str | None) -> None:
    suggestion.decided_by = work.actor.account_id
    vault.put(work, suggestion, "decision_reason", reason)


def _today(work: Work, patient_id: UUID) -> date:
    return local_days.of(work, work.now, work.session.get_one(Patient, (work.clinic_id, patient_id)).zone)
