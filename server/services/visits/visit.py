"""What follows from a treatment session: the visit it fulfils and the days it makes judged anew."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from server.clinical.vocabulary import SessionStatus
from server.models import TreatmentSession
from server.services.journal import entry as entries
from server.services.journal.journal import open_journal
from server.services.visits import suggestion_end as suggestion_ends
from server.services.visits import treatment_session as treatment_sessions
from server.services.visits import visit_outcome as visit_outcomes
from server.services.watch import assessment as assessments
from server.services.work import Work

_A_DAY = timedelta(days=1)


def record(work: Work, patient_id: UUID, values: dict[str, Any]) -> TreatmentSession:
    """Record a session; a delivered one fulfils the booked visit and starts the next baseline."""
    session = treatment_sessions.create(work, patient_id, values)
    if session.status is SessionStatus.DELIVERED:
        suggestion_ends.fulfil_with(work, session)
        _follow(work, patient_id, [(session.at, session.local_day)])
        _weigh_again(work, session, was_delivered=False)
    return session


def change(
    work: Work, patient_id: UUID, session_id: UUID, changes: dict[str, Any], version: int
) -> TreatmentSession:
    """Deliver, move or cancel a session and judge again every day that it counted or counts for."""
    before = treatment_sessions.get(work, patient_id, session_id)
    was_delivered, then = before.status is SessionStatus.DELIVERED, (before.at, before.local_day)
    session = treatment_sessions.change(work, patient_id, session_id, changes, version)
    is_delivered = session.status is SessionStatus.DELIVERED
    suggestion_ends.follow_change(work, session, then[0] if was_delivered else None)
    counted = ((then, was_delivered), ((session.at, session.local_day), is_delivered))
    _follow(work, patient_id, [moment for moment, counts in counted if counts])
    _weigh_again(work, session, was_delivered)
    return session


def follow_past(
    work: Work, patient_id: UUID, known: Collection[datetime], coming: Collection[datetime]
) -> None:
    """Do for delivered sessions that a past brought, all but those of ``known`` moments, what `record` does.

    ``coming``: the moments of those still to come. The days they make are for who brings the past to judge
    again. Twice changes nothing.
    """
    came = treatment_sessions.delivered_but(work, patient_id, known)
    if not came or not suggestion_ends.has_visits(work, patient_id):
        return
    suggestion_ends.fulfil_past(work, came, coming)
    visit_outcomes.look_again(work, patient_id)


def _weigh_again(work: Work, session: TreatmentSession, was_delivered: bool) -> None:
    """See that what earlier visits were worth is learned anew where the past is another one than it was."""
    is_late = session.status is SessionStatus.DELIVERED and session.at < work.now - _A_DAY
    if was_delivered or is_late:
        visit_outcomes.look_again(work, session.patient_id)


def _follow(work: Work, patient_id: UUID, moments: Sequence[tuple[datetime, date]]) -> None:
    """Time the entries after ``moments`` from the right session again, and judge their days again."""
    if not moments:
        return
    first = min(at for at, _ in moments)
    look_again(work, patient_id, entries.ids_since(work, patient_id, first), [day for _, day in moments])


def look_again(work: Work, patient_id: UUID, entry_ids: Iterable[UUID], days: Iterable[date]) -> None:
    """Time entries from the right session again; judge the oldest of ``days`` and all after it again."""
    journal = open_journal(work, patient_id, entry_ids)
    for entry in journal.known.values():
        journal.retime(entry)
    work.session.flush()
    assessments.reassess(work, journal.patient, days)
