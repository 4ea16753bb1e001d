"""The copy of a suggestion in the clinic's scheduling system: what waits to get there or to be asked.

Nothing is sent here: the job claims a copy under a lease, talks to the system outside any transaction, and
records what it heard (`copy_outcome`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from server.clinical.lifecycle import OPEN_SUGGESTIONS
from server.clinical.visit import Proposed
from server.clinical.vocabulary import ConnectionKind, CopyState, SuggestionState
from server.models import BookingSuggestion, Patient, SchedulingConnection, SchedulingCopy
from server.services import apart, vault
from server.services.errors import NotFound
from server.services.job_run import AHEAD
from server.services.messages import retry
from server.services.messages.delivery_loss import DEFECT
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.visits import candidate_slot as candidate_slots
from server.services.visits import scheduling_connection as connections
from server.services.visits import scheduling_mapping as mappings
from server.services.visits.proposed import proposed
from server.services.work import Work, system

_UNBOOKED = OPEN_SUGGESTIONS - {SuggestionState.BOOKED, SuggestionState.ARRIVED}
APPROVED = OPEN_SUGGESTIONS - {SuggestionState.DRAFT}
# None is as long: what lies further ahead was begun by a clock that was ahead.
_LONGEST_LEASE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ClaimedCopy:
    """A copy that is ours until its lease ends. ``attempt`` is the fencing number, from 1 on.

    ``behind``: their system does not have our newest version. ``known``: it has had one. ``tried``: it was
    told before, whether an answer came or not.
    """

    clinic_id: UUID
    suggestion_id: UUID
    attempt: int
    connection_id: UUID
    connection_version: int
    kind: ConnectionKind
    config: Mapping[str, Any]
    proposed: Proposed
    due_at: datetime
    behind: bool
    known: bool
    tried: bool

    @property
    def wants_slots(self) -> bool:
        """Whether free times are of use: while nothing is booked."""
        return self.proposed.state in _UNBOOKED


def follow(work: Work, suggestion: BookingSuggestion, is_new: bool = False) -> None:
    """See that a change gets to the clinic's system; ``is_new``: it was approved by it."""
    copy = _of(work, suggestion.id)
    if copy is None and is_new:
        connection = connections.in_use(work)
        if connection is not None and connection.kind is not ConnectionKind.INBOX:
            _add(work, suggestion.id, connection.id)
    elif copy is not None:
        ask(copy, work.now)
        copy.failures, copy.failure = 0, None


def ask(copy: SchedulingCopy, now: datetime) -> None:
    """Ask at once, also about what is over: that is where two sides come apart.

    What a worker has in hand is asked again when it is done.
    """
    copy.due_at = now
    if copy.state is not CopyState.CLAIMED:
        copy.state = CopyState.WAITING


def take_up(work: Work) -> int:
    """Give every approved, open suggestion that has none a copy at the system in use; return how many."""
    connection = connections.in_use(work)
    if connection is None or connection.kind is ConnectionKind.INBOX:
        return 0
    query = select(BookingSuggestion.id).where(
        BookingSuggestion.clinic_id == work.clinic_id, BookingSuggestion.state.in_(sorted(APPROVED))
    )
    missing = [one for one in work.session.scalars(query) if not _is_there(work, one, connection.id)]
    for suggestion_id in missing:
        _add(work, suggestion_id, connection.id)
    return len(missing)


def ask_again(work: Work, connection_id: UUID, since: datetime) -> int:
    """Make every copy at one system that is open, or ended after ``since``, due now; return how many.

    Also what was given up after the last try, but not what the system refused.
    """
    # By our own side's end: that of the copy is anew at every look.
    lately = select(BookingSuggestion.id).where(
        BookingSuggestion.clinic_id == work.clinic_id, BookingSuggestion.changed_at >= since
    )
    is_fresh = and_(SchedulingCopy.state == CopyState.SETTLED, SchedulingCopy.suggestion_id.in_(lately))
    # Set aside because it did not answer, not because it said no: that it answers again shows only so.
    is_given_up = and_(
        SchedulingCopy.state == CopyState.HELD, SchedulingCopy.failures > len(retry.WEBHOOK_PAUSES)
    )
    query = select(SchedulingCopy).where(
        SchedulingCopy.clinic_id == work.clinic_id,
        SchedulingCopy.connection_id == connection_id,
        or_(SchedulingCopy.state == CopyState.WAITING, is_given_up, is_fresh),
    )
    rows = list(work.session.scalars(query.with_for_update()))
    for row in rows:
        row.state, row.due_at = CopyState.WAITING, work.now
    return len(rows)


def read(work: Work, suggestion_id: UUID) -> SchedulingCopy:
    """Return the copy of a suggestion to somebody. Audited. Raises NotFound."""
    copy, patient_id = _shown(work, suggestion_id)
    work.audit("scheduling-copy.read", patient_id, suggestion_id)
    return copy


def get(work: Work, suggestion_id: UUID) -> SchedulingCopy:
    """Return the copy of a suggestion; raises NotFound."""
    copy = _of(work, suggestion_id)
    if copy is None:
        raise NotFound("copy of this suggestion")
    return copy


def _shown(work: Work, suggestion_id: UUID) -> tuple[SchedulingCopy, UUID]:
    """Return the same for staff, who find no suggestion of a patient who leaves, and whose it is."""
    mine = (BookingSuggestion.clinic_id == work.clinic_id, BookingSuggestion.id == suggestion_id)
    query = select(BookingSuggestion.patient_id).where(*mine, patients.is_here(BookingSuggestion))
    patient_id = work.session.scalar(query)
    if patient_id is None:
        raise NotFound("copy of this suggestion")
    return get(work, suggestion_id), patient_id


def try_again(work: Work, suggestion_id: UUID) -> SchedulingCopy:
    """Ask or tell at once, also what was set aside; raises NotFound where there is no copy."""
    copy, patient_id = _shown(work, suggestion_id)
    ask(copy, work.now)
    copy.failures, copy.failure = 0, None
    work.audit("scheduling-copy.retry", patient_id, suggestion_id)
    return copy


def by_external_id(work: Work, connection_id: UUID, external_id: str) -> SchedulingCopy | None:
    """Return the copy that their system calls ``external_id``."""
    query = select(SchedulingCopy).where(
        SchedulingCopy.clinic_id == work.clinic_id,
        SchedulingCopy.connection_id == connection_id,
        SchedulingCopy.external_id == external_id,
    )
    return work.session.scalar(query.limit(1))


def at(work: Work, connection_id: UUID, suggestion_id: UUID) -> SchedulingCopy | None:
    """Return the copy of a suggestion at one system."""
    copy = _of(work, suggestion_id)
    return copy if copy is not None and copy.connection_id == connection_id else None


def claim(
    session: Session, now: datetime, limit: int, lease: timedelta, busy: Collection[UUID] = ()
) -> list[ClaimedCopy]:
    """Take up to ``limit`` due copies of any clinic until ``now + lease``; ``busy``: connections to leave.

    A copy whose lease ran out (its worker died) is due again. One over which something fails is put off and
    keeps no other. ``lease`` must be longer than 0.
    """
    rows = list(session.scalars(_due(now, limit, busy).with_for_update(skip_locked=True)))
    found = [_claimed_alone(Work(session, now, system(row.clinic_id)), row, lease) for row in rows]
    session.flush()
    return [one for each in found for one in each]


def is_any_due(session: Session, now: datetime, busy: Collection[UUID] = ()) -> bool:
    """Say whether `claim` would find anything."""
    return session.scalar(_due(now, 1, busy).with_only_columns(SchedulingCopy.suggestion_id)) is not None


def _due(now: datetime, limit: int, busy: Collection[UUID]) -> Any:
    # What a clock that was ahead has approved, and what a worker that died had in hand by one.
    untried = and_(SchedulingCopy.attempt == 0, SchedulingCopy.failures == 0)
    is_new = and_(untried, SchedulingCopy.created_at > now + AHEAD)
    late = or_(SchedulingCopy.lease_until <= now, SchedulingCopy.lease_until > now + _LONGEST_LEASE)
    waiting = and_(SchedulingCopy.state == CopyState.WAITING, or_(SchedulingCopy.due_at <= now, is_new))
    abandoned = and_(SchedulingCopy.state == CopyState.CLAIMED, late)
    query = select(SchedulingCopy).where(or_(waiting, abandoned))
    if busy:
        query = query.where(SchedulingCopy.connection_id.not_in(busy))
    return query.order_by(SchedulingCopy.due_at, SchedulingCopy.suggestion_id).limit(limit)


def _claimed_alone(work: Work, row: SchedulingCopy, lease: timedelta) -> list[ClaimedCopy]:
    failed = f"the copy of suggestion {row.suggestion_id} of clinic {row.clinic_id} can't be prepared"
    claimed = apart.alone(work.session, failed, partial(_claimed, work, row, lease))
    if claimed is None:
        row.state, row.lease_until, row.failures = CopyState.WAITING, None, row.failures + 1
        pauses = retry.WEBHOOK_PAUSES
        row.due_at, row.failure = work.now + pauses[min(row.failures, len(pauses)) - 1], DEFECT
    return claimed or []


def _claimed(work: Work, row: SchedulingCopy, lease: timedelta) -> list[ClaimedCopy]:
    """Return it, or nothing where its system is not used any more."""
    connection = work.session.get_one(SchedulingConnection, (row.clinic_id, row.connection_id))
    if connection.retired_at is not None:
        row.state = CopyState.SETTLED
        return []
    vault.opened(work, [connection])
    suggestion = work.session.get_one(BookingSuggestion, (row.clinic_id, row.suggestion_id))
    row.state, row.lease_until, row.attempt = CopyState.CLAIMED, work.now + lease, row.attempt + 1
    made = ClaimedCopy(
        clinic_id=row.clinic_id,
        suggestion_id=row.suggestion_id,
        attempt=row.attempt,
        connection_id=connection.id,
        connection_version=connection.version,
        kind=connection.kind,
        config=connection.config,
        proposed=_proposed(work, suggestion, row),
        due_at=row.due_at,
        behind=row.sent_version < suggestion.version,
        known=row.sent_version > 0,
        tried=row.attempt > 1,
    )
    return [made]


def _proposed(work: Work, suggestion: BookingSuggestion, copy: SchedulingCopy) -> Proposed:
    """Return what may leave, with what their system calls it all."""
    zone = work.session.get_one(Patient, (work.clinic_id, suggestion.patient_id)).zone
    return replace(
        proposed(suggestion, zone),
        mapped=mappings.of_visit(work, copy.connection_id, suggestion),
        slots=tuple(candidate_slots.shown(work, suggestion)),
        external_id=copy.external_id,
        etag=copy.etag,
        clinic_zone=clinics.get(work).zone,
    )


def _add(work: Work, suggestion_id: UUID, connection_id: UUID) -> None:
    row = SchedulingCopy(
        clinic_id=work.clinic_id,
        suggestion_id=suggestion_id,
        connection_id=connection_id,
        state=CopyState.WAITING,
        sent_version=0,
        due_at=work.now,
        attempt=0,
        failures=0,
        created_at=work.now,
    )
    # A copy at a system that was taken away gives way: what is there is not ours to change any more.
    known = _of(work, suggestion_id)
    if known is not None:
        work.session.delete(known)
        work.session.flush()
    work.session.add(row)
    work.session.flush()


def _is_there(work: Work, suggestion_id: UUID, connection_id: UUID) -> bool:
    return at(work, connection_id, suggestion_id) is not None


def _of(work: Work, suggestion_id: UUID) -> SchedulingCopy | None:
    return work.session.get(SchedulingCopy, (work.clinic_id, suggestion_id))
