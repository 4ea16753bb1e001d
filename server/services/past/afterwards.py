"""What lay in a diary already, and comes after a past that was brought later: timed and judged again.

A past goes in as of its own moments, and no day is judged before it comes: what the days after it rest on
has changed, and nobody would look at them again before the next entry.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from server.models import Activation, Assessment, Entry
from server.services.journal.incoming import OLDEST
from server.services.visits import treatment_session as treatment_sessions
from server.services.visits import visit as visits
from server.services.work import Work

# Whatever the zone, a moment's local day is not before this.
_A_DAY = timedelta(days=1)
_Entries = Mapping[UUID, tuple[datetime, date]]


class Known(NamedTuple):
    """A patient's entries (moment, local day), delivered sessions and judged days before a past came in.

    ``begun``: the first moment of that past itself that was there already, None where nothing was. ``ours``:
    the ids of its entries; ``given``: the moments of its sessions.
    """

    entries: _Entries
    sessions: frozenset[datetime]
    judged: frozenset[date]
    begun: datetime | None
    ours: frozenset[UUID]
    given: frozenset[datetime]


def look(work: Work, patient_id: UUID, ids: Iterable[UUID], sessions: Iterable[datetime]) -> Known:
    """Return what is known of a patient before a past of these ``ids`` and ``sessions`` comes in.

    A part of it may be there since a break, after which nobody has judged again what it tells on.
    """
    ours, brought = frozenset(ids), frozenset(sessions)
    entries, given = _entries(work, patient_id), _given(work, patient_id)
    there = [*(entries[one][0] for one in ours if one in entries), *given & brought]
    judged = select(Assessment.day).where(
        Assessment.clinic_id == work.clinic_id, Assessment.patient_id == patient_id
    )
    days = frozenset(work.session.scalars(judged.distinct()))
    return Known(entries, given, days, min(there, default=None), ours, brought)


def _entries(work: Work, patient_id: UUID) -> _Entries:
    query = select(Entry.id, Entry.occurred_at, Entry.local_day).where(
        Entry.clinic_id == work.clinic_id, Entry.patient_id == patient_id
    )
    return {row.id: (row.occurred_at, row.local_day) for row in work.session.execute(query)}


def _given(work: Work, patient_id: UUID) -> frozenset[datetime]:
    return frozenset(treatment_sessions.delivered_moments(work, patient_id))


def follow(work: Work, patient_id: UUID, before: Known, is_last: bool) -> None:
    """Let what came since ``before`` tell on what was there: in each transaction that brought some of it.

    Sessions at once; the days once all of it is there (``is_last``). Whoever begins anew after a break finds
    what is written, and nothing new.
    """
    # A session that does not come in the end (its day has one, it was cancelled) keeps no visit waiting.
    coming = () if is_last else before.given - _given(work, patient_id)
    visits.follow_past(work, patient_id, before.sessions, coming)
    if is_last:
        _judge_again(work, patient_id, before)


def _judge_again(work: Work, patient_id: UUID, before: Known) -> None:
    """Time and judge again what is not of the past itself and comes after the first thing that is new.

    That is what was there ``before``, and what the phone has brought meanwhile. Where a break may have left
    the beginning of the past, that is the first thing of all, also where nothing is new since. Days on which
    nothing was logged are judged, too.
    """
    entries = _entries(work, patient_id)
    came = [at for entry_id, (at, _) in entries.items() if entry_id not in before.entries]
    came += _given(work, patient_id) - before.sessions
    came += [before.begun] if before.begun and (came or _is_owed(work, patient_id, before.begun)) else []
    if not came:
        return
    first = min(came)
    new = before.ours - before.entries.keys()
    later = {one: day for one, (at, day) in entries.items() if one not in new and at > first}
    days = [*later.values(), *(day for day in before.judged if day >= (first - _A_DAY).date())]
    if days:
        visits.look_again(work, patient_id, [*later], [min(days)])


def _is_owed(work: Work, patient_id: UUID, begun: datetime) -> bool:
    """Return whether a day was judged before something came that lies before it, and never since.

    Whatever comes in has all days after it judged again, so that none is judged by older data than one before
    it: but for those that a past was written before, until all of it is there.
    """
    first = max(begun - _A_DAY, work.now - OLDEST).date()
    query = (
        select(func.max(Activation.data_version))
        .where(
            Activation.clinic_id == work.clinic_id,
            Activation.patient_id == patient_id,
            Activation.day >= first,
        )
        .group_by(Activation.day)
        .order_by(Activation.day)
    )
    return any(later < earlier for earlier, later in pairwise(work.session.scalars(query)))
