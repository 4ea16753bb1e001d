"""What lay in a diary already, and comes after a past that was brought later: timed and judged again.

A past goes in as of its own moments, and no day is judged before it comes: what the days after it rest on
has changed, and nobody would look at them again before the next entry.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from server.models import Entry
from server.services.visits import treatment_session as treatment_sessions
from server.services.visits import visit as visits
from server.services.work import Work


class Known(NamedTuple):
    """A patient's entries (moment, local day) and delivered sessions, as they were before a past came in."""

    entries: Mapping[UUID, tuple[datetime, date]]
    sessions: frozenset[datetime]


def look(work: Work, patient_id: UUID) -> Known:
    """Return what is known of a patient."""
    query = select(Entry.id, Entry.occurred_at, Entry.local_day).where(
        Entry.clinic_id == work.clinic_id, Entry.patient_id == patient_id
    )
    found = {row.id: (row.occurred_at, row.local_day) for row in work.session.execute(query)}
    return Known(found, frozenset(treatment_sessions.delivered_moments(work, patient_id)))


def follow(work: Work, patient_id: UUID, before: Known, is_last: bool) -> None:
    """Let what came since ``before`` tell on what was there: in each transaction that brought some of it.

    Sessions at once; the days once all of it is there (``is_last``). Whoever begins anew after a break finds
    what is written, and nothing new.
    """
    visits.follow_past(work, patient_id, before.sessions)
    if is_last:
        _judge_again(work, patient_id, before)


def _judge_again(work: Work, patient_id: UUID, before: Known) -> None:
    """Time and judge again what was there ``before`` and comes after the first thing that is new."""
    now = look(work, patient_id)
    came = [at for entry_id, (at, _) in now.entries.items() if entry_id not in before.entries]
    came += now.sessions - before.sessions
    if not came:
        return
    first = min(came)
    later = {entry_id: day for entry_id, (at, day) in before.entries.items() if at > first}
    if later:
        visits.look_again(work, patient_id, [*later], [min(later.values())])
