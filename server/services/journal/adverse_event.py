"""The adverse events of one treatment session, for the forms a clinic owes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, select

from server.clinical.adverse_events import AdverseEvent, Report, adverse_events
from server.clinical.vocabulary import SessionStatus
from server.models import Entry, TreatmentSession
from server.services import local_day as local_days
from server.services.errors import Conflict
from server.services.journal.answers import HOUR, answers_of, felt_at
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.visits import treatment_session as treatment_sessions
from server.services.work import Work


@dataclass(frozen=True, slots=True)
class AdverseEvents:
    """The events between a session and the next one (``until`` None: there is none yet)."""

    session: TreatmentSession
    until: datetime | None
    events: Sequence[AdverseEvent]


def of_session(work: Work, patient_id: UUID, session_id: UUID) -> AdverseEvents:
    """Return what was reported between a delivered session and the next. Audited.

    Raises NotFound, and Conflict for a session that was not delivered.
    """
    patients.get(work, patient_id)
    session = treatment_sessions.get(work, patient_id, session_id)
    if session.status is not SessionStatus.DELIVERED:
        raise Conflict("not-delivered", "Only a delivered session has adverse events.")
    work.audit("adverse-event.list", patient_id, session_id)
    moments = treatment_sessions.delivered_moments(work, patient_id)
    until = next((moment for moment in moments if moment > session.at), None)
    hours = None if until is None else (until - session.at) / HOUR
    reports = [
        Report(
            entry_id=entry.id,
            hours=(felt - session.at) / HOUR,
            day=entry.local_day if entry.day_reliable else local_days.of(work, felt, entry.zone),
            answers=answers_of(entry, moments),
            entered_by=entry.entered_by,
        )
        for felt, entry in _reported(work, patient_id, session.at)
    ]
    return AdverseEvents(session, until, adverse_events(reports, hours, clinics.policy(work)))


def _reported(work: Work, patient_id: UUID, since: datetime) -> Sequence[tuple[datetime, Entry]]:
    """Return the entries felt from ``since`` on, in that order. What a wrong clock dated came in later."""
    query = select(Entry).where(
        Entry.clinic_id == work.clinic_id,
        Entry.patient_id == patient_id,
        Entry.deleted_at.is_(None),
        case((Entry.day_reliable, Entry.occurred_at), else_=Entry.received_at) >= since,
    )
    found = ((felt_at(entry), entry) for entry in work.session.scalars(query))
    return sorted((one for one in found if one[0] >= since), key=lambda one: (one[0], one[1].id))
