"""Copies that go on, or begin anew, because how their system is reached, or what it calls things, changed."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.clinical.vocabulary import CopyState
from server.models import BookingSuggestion, SchedulingCopy
from server.services.visits.scheduling_copy import APPROVED, ask
from server.services.work import Work

# What says which mailbox, calendar or system it is, beside how we sign in there and what it understands.
_WHERE = ("way", "mailbox", "url", "base_url", "database")


def release(work: Work, connection_id: UUID, patient_id: UUID | None = None) -> int:
    """Take up again what was set aside at one system: how it is reached, or what it calls things, changed.

    So is what a worker has in hand by what held before. ``patient_id``: that of one patient alone.
    """
    query = select(SchedulingCopy).where(
        SchedulingCopy.clinic_id == work.clinic_id,
        SchedulingCopy.connection_id == connection_id,
        SchedulingCopy.state.in_((CopyState.HELD, CopyState.CLAIMED)),
    )
    if patient_id is not None:
        theirs = select(BookingSuggestion.id).where(
            BookingSuggestion.clinic_id == work.clinic_id, BookingSuggestion.patient_id == patient_id
        )
        query = query.where(SchedulingCopy.suggestion_id.in_(theirs))
    copies = list(work.session.scalars(query.with_for_update()))
    for copy in copies:
        ask(copy, work.now)
        copy.failures, copy.failure = 0, None
    return len(copies)


def is_elsewhere(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Say whether settings lead to another system.

    It knows of nothing, and what the one before called our visits may be somebody else's there.
    """
    return any(before.get(name) != after.get(name) for name in _WHERE)


def tell_anew(work: Work, connection_id: UUID) -> int:
    """Let what is open be told from the beginning, as to somebody who never heard of it; return how many."""
    still_open = select(BookingSuggestion.id).where(
        BookingSuggestion.clinic_id == work.clinic_id, BookingSuggestion.state.in_(sorted(APPROVED))
    )
    query = select(SchedulingCopy).where(
        SchedulingCopy.clinic_id == work.clinic_id,
        SchedulingCopy.connection_id == connection_id,
        SchedulingCopy.suggestion_id.in_(still_open),
    )
    copies = list(work.session.scalars(query.with_for_update()))
    for copy in copies:
        # What a worker has in hand goes to the one before: it may not record that it was told.
        copy.state, copy.lease_until, copy.attempt = CopyState.WAITING, None, copy.attempt + 1
        copy.sent_version, copy.due_at, copy.failures, copy.failure = 0, work.now, 0, None
        copy.external_id = copy.etag = copy.peer_status = copy.peer_changed_at = None
    return len(copies)
