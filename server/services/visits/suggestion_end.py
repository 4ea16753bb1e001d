"""How a suggested visit ends by itself: it took place, or its time has passed.

No move here ever touches the alert behind a suggestion: a visit that expires does not make symptoms go away.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from server.clinical.lifecycle import OPEN_SUGGESTIONS, SuggestionAction
from server.clinical.vocabulary import Arm, ReviewCode, SessionStatus, SuggestionState
from server.models import BookingSuggestion, Course, Patient, TreatmentSession
from server.services import local_day as local_days
from server.services.visits import appointment as appointments
from server.services.visits import review_task as review_tasks
from server.services.visits import visit_message as visit_messages
from server.services.visits.review_task import Finding
from server.services.visits.suggestion_move import make_change, make_move
from server.services.work import Work

# How long a booked visit may stay unreported before it ends, so that it can't block later ones.
REPORT_GRACE = timedelta(days=14)
# Proposal: so far an appointment may be brought forward without anybody telling us of it.
EARLY = timedelta(days=3)
_A_DAY = timedelta(days=1)
_visit_at = func.coalesce(BookingSuggestion.starts_at, BookingSuggestion.changed_at)
_VISITING = (SuggestionState.BOOKED, SuggestionState.ARRIVED)
_KEPT = (*_VISITING, SuggestionState.FULFILLED)
UNBOOKED = OPEN_SUGGESTIONS - frozenset(_VISITING)


def fulfil_with(
    work: Work, session: TreatmentSession, is_new: bool = True, was_at: datetime | None = None
) -> BookingSuggestion | None:
    """Fulfil the booked visit that a delivered session is; None where no visit was booked.

    That is one of the same day, or of the same programme, up to `EARLY` before its time and up to
    `REPORT_GRACE` after it: what lies further away is another session, and the visit is still to come. A
    session from before the suggestion was made is none of its outcome. Where the scheduling system reported
    the visit as done first, only the link is added. One that was delivered before (not ``is_new``) and is put
    right is no visit that is still to come. ``was_at``: where it lay then, which made it none of the visits
    around there.
    """
    booked = [
        one
        for one in _near(work, session)
        if (is_new or _planned(one) <= work.now)
        and (was_at is None or not _can_be(work, one, session, was_at))
    ]
    suggestion = min(booked, key=lambda one: _distance(work, one, session), default=None)
    if suggestion is None or not _is_same_day(work, suggestion, session.at):
        own = _take_over(work, session)
        if own is not None:
            return own
    if suggestion is not None:
        _put_behind(work, suggestion, session)
    return suggestion


def _take_over(work: Work, session: TreatmentSession) -> BookingSuggestion | None:
    """Put a session behind the visit of its own day, where one of another day came first; return that."""
    of_another = (
        (TreatmentSession.clinic_id == BookingSuggestion.clinic_id)
        & (TreatmentSession.patient_id == BookingSuggestion.patient_id)
        & (TreatmentSession.id == BookingSuggestion.treatment_session_id)
        & (TreatmentSession.local_day != session.local_day)
    )
    query = select(BookingSuggestion).where(
        BookingSuggestion.clinic_id == work.clinic_id,
        BookingSuggestion.patient_id == session.patient_id,
        BookingSuggestion.programme == _programme(work, session),
        _visit_at.between(session.at - _A_DAY, session.at + _A_DAY),
        BookingSuggestion.created_at <= session.at,
        select(TreatmentSession.id).where(of_another).exists(),
    )
    found = work.session.scalars(query.with_for_update(key_share=True))
    visit = next((one for one in found if _is_same_day(work, one, session.at)), None)
    if visit is not None:
        _let_go(work, visit)
        _put_behind(work, visit, session)
    return visit


def fulfil_past(work: Work, sessions: Iterable[TreatmentSession], coming: Collection[datetime]) -> None:
    """Fulfil the booked visits that sessions of a past are: each the one that of all of them is nearest.

    A visit that one of those still ``coming`` is nearer to waits for it.
    """
    waiting = [one for one in sessions if _linked(work, one) is None]
    taken = {one.id for one in waiting if _take_over(work, one) is not None}
    pairs = [
        (_distance(work, one, session), one, session)
        for session in waiting
        for one in _near(work, session)
        if not _is_awaited(work, one, session, coming)
    ]
    for _, suggestion, session in sorted(pairs, key=lambda pair: pair[0]):
        if not taken & {suggestion.id, session.id}:
            _put_behind(work, suggestion, session)
            taken |= {suggestion.id, session.id}


def _near(work: Work, session: TreatmentSession) -> Sequence[BookingSuggestion]:
    """Return the visits that a delivered session can be and that have none yet."""
    found = select(BookingSuggestion).where(
        BookingSuggestion.clinic_id == work.clinic_id,
        BookingSuggestion.patient_id == session.patient_id,
        BookingSuggestion.state.in_(_KEPT),
        _visit_at > session.at - REPORT_GRACE,
        _visit_at <= session.at + EARLY,
        BookingSuggestion.treatment_session_id.is_(None),
    )
    near = work.session.scalars(found.with_for_update(key_share=True))
    return [one for one in near if _can_be(work, one, session, session.at)]


def _is_awaited(
    work: Work, suggestion: BookingSuggestion, session: TreatmentSession, coming: Collection[datetime]
) -> bool:
    def apart(at: datetime) -> tuple[object, ...]:
        return not _is_same_day(work, suggestion, at), abs(_planned(suggestion) - at)

    near = (at for at in coming if _is_near(suggestion, at))
    return any(apart(at) < apart(session.at) for at in near)


def _distance(work: Work, suggestion: BookingSuggestion, session: TreatmentSession) -> tuple[object, ...]:
    """Return what the visit that a session is has least of: one of today before one of another day."""
    is_foreign = suggestion.programme is not _programme(work, session)
    is_elsewhere = not _is_same_day(work, suggestion, session.at)
    return is_elsewhere, is_foreign, abs(_planned(suggestion) - session.at), suggestion.id


def fulfil_if_recorded(work: Work, suggestion: BookingSuggestion) -> bool:
    """Fulfil a visit that is reported after its session was recorded, on the day on which both were.

    Of one that is still to come no session is known, whatever else was given today. Return whether there
    was such a session.
    """
    if suggestion.state not in _KEPT or suggestion.treatment_session_id is not None:
        return False
    if suggestion.starts_at is None or suggestion.starts_at > work.now:
        return False
    session = _recorded(work, suggestion)
    if session is None or not _is_same_day(work, suggestion, session.at):
        return False
    _put_behind(work, suggestion, session)
    return True


def _recorded(work: Work, suggestion: BookingSuggestion) -> TreatmentSession | None:
    """Return the nearest of the delivered sessions that a visit can be and that stand behind none."""
    taken = select(BookingSuggestion.id).where(
        BookingSuggestion.clinic_id == TreatmentSession.clinic_id,
        BookingSuggestion.patient_id == TreatmentSession.patient_id,
        BookingSuggestion.treatment_session_id == TreatmentSession.id,
    )
    query = select(TreatmentSession).where(
        TreatmentSession.clinic_id == work.clinic_id,
        TreatmentSession.patient_id == suggestion.patient_id,
        TreatmentSession.status == SessionStatus.DELIVERED,
        TreatmentSession.at >= suggestion.created_at,
        ~taken.exists(),
    )
    given = work.session.scalars(query.order_by(TreatmentSession.at))
    near = [one for one in given if _can_be(work, suggestion, one, one.at)]
    return min(near, key=lambda one: _distance(work, suggestion, one), default=None)


def _programme(work: Work, session: TreatmentSession) -> Arm:
    course = work.session.get_one(Course, (work.clinic_id, session.patient_id, session.course_id))
    return course.condition.programme


def _put_behind(work: Work, suggestion: BookingSuggestion, session: TreatmentSession) -> None:
    suggestion.treatment_session_id = session.id
    if suggestion.state is SuggestionState.FULFILLED:
        make_change(work, suggestion, "link", {"treatment_session": str(session.id)})
    else:
        make_move(work, suggestion, SuggestionAction.FULFIL, {"treatment_session": str(session.id)})


def follow_change(work: Work, session: TreatmentSession, was_at: datetime | None) -> None:
    """Let a session that was changed stand behind the visit that it is, and behind no other one.

    One that was recorded in error, or that lies elsewhere now, is not what became of the visit behind which
    it stood. That one has ended and stays as it is, nothing is learned of it any more, and a person decides.
    ``was_at``: when it was said to be delivered before, None where it was not.
    """
    is_delivered = session.status is SessionStatus.DELIVERED
    linked = _linked(work, session)
    is_elsewhere = linked is not None and not (is_delivered and _can_be(work, linked, session, session.at))
    if linked is not None and is_elsewhere:
        _take_off(work, linked, session)
    if is_delivered and (linked is None or is_elsewhere):
        fulfil_with(work, session, was_at is None, None if is_elsewhere else was_at)


def has_visits(work: Work, patient_id: UUID) -> bool:
    """Say whether any visit of the patient's is booked or took place, so that sessions matter to it."""
    query = select(BookingSuggestion.id).where(
        BookingSuggestion.clinic_id == work.clinic_id,
        BookingSuggestion.patient_id == patient_id,
        BookingSuggestion.state.in_(_KEPT),
    )
    return work.session.scalars(query.limit(1)).first() is not None


def _linked(work: Work, session: TreatmentSession) -> BookingSuggestion | None:
    query = select(BookingSuggestion).where(
        BookingSuggestion.clinic_id == work.clinic_id,
        BookingSuggestion.patient_id == session.patient_id,
        BookingSuggestion.treatment_session_id == session.id,
    )
    return work.session.scalar(query.with_for_update(key_share=True))


def _can_be(work: Work, suggestion: BookingSuggestion, session: TreatmentSession, at: datetime) -> bool:
    """Say whether ``session``, given ``at`` that moment, can be the visit.

    Who is treated for mood and for pain comes once for both, and the session is recorded in one of the two
    courses: of the other programme's it is the visit of that very day, and none around it.
    """
    is_own = suggestion.programme is _programme(work, session)
    return _is_near(suggestion, at) and (is_own or _is_same_day(work, suggestion, at))


def _is_near(suggestion: BookingSuggestion, at: datetime) -> bool:
    planned = _planned(suggestion)
    return planned - EARLY <= at < planned + REPORT_GRACE and suggestion.created_at <= at


def _is_same_day(work: Work, suggestion: BookingSuggestion, at: datetime) -> bool:
    zone = work.session.get_one(Patient, (work.clinic_id, suggestion.patient_id)).zone
    return local_days.of(work, at, zone) == local_days.of(work, _planned(suggestion), zone)


def _planned(suggestion: BookingSuggestion) -> datetime:
    return suggestion.starts_at or suggestion.changed_at


def _take_off(work: Work, suggestion: BookingSuggestion, session: TreatmentSession) -> None:
    _let_go(work, suggestion)
    other = _recorded(work, suggestion)
    if other is not None:
        _put_behind(work, suggestion, other)  # it was recorded twice, or this one is the visit
        return
    detail = {"state": suggestion.state, "treatment_session": str(session.id)}
    key = f"{suggestion.id}:{suggestion.version}"
    review_tasks.raise_(work, Finding(ReviewCode.SESSION_TAKEN_OFF, key, suggestion.id, None, detail))


def _let_go(work: Work, suggestion: BookingSuggestion) -> None:
    """Take a visit off its session, and forget what was learned of it."""
    detail = {"treatment_session": str(suggestion.treatment_session_id)}
    suggestion.treatment_session_id = None
    suggestion.responded = suggestion.days_gained = suggestion.gained_at_least = None
    suggestion.outcome_at, suggestion.outcome_final = None, False
    make_change(work, suggestion, "unlink", detail)


def expire_overdue(work: Work) -> int:
    """End suggestions whose window has passed unbooked, or whose booked visit was never reported.

    The last day of a window is the patient's own. Returns how many ended; running again ends none.
    """
    tomorrow = work.now.date() + timedelta(days=1)
    state = BookingSuggestion.state
    overdue = or_(
        and_(state.in_(UNBOOKED), BookingSuggestion.latest < tomorrow),
        and_(state.in_(_VISITING), BookingSuggestion.starts_at < work.now - REPORT_GRACE),
    )
    query = select(BookingSuggestion).where(BookingSuggestion.clinic_id == work.clinic_id, overdue)
    found = work.session.scalars(query.order_by(BookingSuggestion.id).with_for_update(key_share=True))
    ended = [suggestion for suggestion in found if is_over(work, suggestion)]
    for suggestion in ended:
        expire(work, suggestion)
    return len(ended)


def expire(work: Work, suggestion: BookingSuggestion) -> None:
    """End a suggestion whose time has passed, and tell the care team where it was approved."""
    make_move(work, suggestion, SuggestionAction.EXPIRE)
    visit_messages.tell_ended(work, suggestion)


def is_over(work: Work, suggestion: BookingSuggestion) -> bool:
    """Say whether the time of an open suggestion has passed."""
    if suggestion.state in UNBOOKED:
        is_past = suggestion.latest < _today(work, suggestion.patient_id)
        return is_past and not appointments.is_agreed(suggestion, work.now)
    if suggestion.state not in _VISITING or suggestion.starts_at is None:
        return False
    return suggestion.starts_at + REPORT_GRACE < work.now


def _today(work: Work, patient_id: UUID) -> date:
    return local_days.of(work, work.now, work.session.get_one(Patient, (work.clinic_id, patient_id)).zone)
