"""Replays as a worker sees them: take one under a lease, keep what was found, end it.

Nothing is judged here: the job reads a slice, judges it outside any transaction, then brings what it
found. A worker that lost its lease finds every door closed (None or False) and stops.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from server.clinical.lifecycle import REPLAY_MOVES, ReplayAction, move
from server.clinical.policy import policy_from
from server.clinical.vocabulary import ReplayState
from server.models import PolicyReplay, PolicyReplayPatient, PolicyVersion
from server.services import vault
from server.services.journal import past as pasts
from server.services.journal.past import RecordedPast, Tried
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.work import Work

# A replay that never got on in so many takings would take its workers along for ever.
MOST_TRIES = 5
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Taken:
    """A replay that is ours until its lease ends. ``attempt`` is the fencing number."""

    id: UUID
    attempt: int
    account_id: UUID | None
    current: Mapping[str, float]
    draft: Mapping[str, float]
    first: date
    last: date
    total: int

    def tried(self) -> Tried:
        """Return which days are judged by which policies. Raises PolicyError, for the draft alone."""
        policies = policy_from(1, self.current, kept=True), policy_from(1, self.draft)
        return Tried(self.first, self.last, policies)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found of one patient, as plain data; ``differs``: alarms lie on other days."""

    patient_id: UUID
    differs: bool
    found: Mapping[str, Any]


def waiting(session: Session, now: datetime) -> Sequence[UUID]:
    """Return the clinics that have a replay to work on."""
    query = select(PolicyReplay.clinic_id).where(_is_due(now)).distinct()
    return session.scalars(query.order_by(PolicyReplay.clinic_id)).all()


def take(work: Work, lease: timedelta) -> Taken | None:
    """Take the clinic's replay that runs without a worker, else the oldest that waits.

    None where there is none, or one is in the hands of another worker.
    """
    # One at a time looks for the next: at most one replay of a clinic runs.
    clinics.lock(work)
    query = select(PolicyReplay).where(
        PolicyReplay.clinic_id == work.clinic_id,
        PolicyReplay.state.in_((ReplayState.QUEUED, ReplayState.RUNNING)),
    )
    rows = work.session.scalars(query.order_by(PolicyReplay.id).with_for_update()).all()
    running = [row for row in rows if row.state is ReplayState.RUNNING]
    row = next(iter(running or rows), None)
    if row is None or (row.lease_until is not None and row.lease_until > work.now):
        return None
    if row.tries >= MOST_TRIES:
        row.failure = "worker_died"
        _end(work, row, ReplayAction.FAIL)
        return None
    row.state = move(REPLAY_MOVES, row.state, ReplayAction.TAKE)
    row.attempt, row.tries, row.lease_until = row.attempt + 1, row.tries + 1, work.now + lease
    work.session.flush()
    base = work.session.get_one(PolicyVersion, (work.clinic_id, row.base_version))
    return Taken(
        id=row.id,
        attempt=row.attempt,
        account_id=row.created_by,
        current=base.values,
        draft=row.values,
        first=row.first,
        last=row.last,
        total=row.total,
    )


def next_slice(work: Work, taken: Taken, size: int, lease: timedelta) -> Sequence[RecordedPast] | None:
    """Return the past of the next ``size`` patients, none where all are done. Audited for each of them."""
    row = _ours(work, taken)
    if row is None:
        return None
    row.lease_until = work.now + lease
    found = pasts.read(work, row.cursor, size, taken.tried())
    for one in found:
        work.audit("policy-replay.patient", UUID(one.patient_id), taken.id)
    return found


def keep(work: Work, taken: Taken, cursor: UUID, outcomes: Sequence[Outcome], done: int) -> bool:
    """Keep what was found of the patients up to ``cursor``, ``done`` in number; not of who left meanwhile."""
    row = _ours(work, taken)
    if row is None:
        return False
    here = patients.staying(work, [one.patient_id for one in outcomes])
    for one in (one for one in outcomes if one.patient_id in here):
        kept = PolicyReplayPatient(
            clinic_id=work.clinic_id, replay_id=taken.id, patient_id=one.patient_id, differs=one.differs
        )
        vault.put(work, kept, "found", dict(one.found))
        work.session.add(kept)
    row.cursor, row.done, row.tries = cursor, row.done + done, 0
    # Somebody may have been registered since it was asked for.
    row.total = max(row.total, row.done)
    return True


def kept(work: Work, taken: Taken) -> Iterator[tuple[UUID, Mapping[str, Any]]]:
    """Yield everything that was found, by patient."""
    after: UUID | None = None
    while rows := _kept_after(work, taken, after):
        yield from ((row.patient_id, row.found) for row in rows)
        after = rows[-1].patient_id
        work.session.expunge_all()


def finish(work: Work, taken: Taken, result: Mapping[str, Any]) -> bool:
    """End it with its result."""
    row = _ours(work, taken)
    if row is None:
        return False
    vault.put(work, row, "result", dict(result))
    _end(work, row, ReplayAction.FINISH)
    row.total = row.done
    return True


def fail(work: Work, taken: Taken, failure: str) -> None:
    """End it without one; ``failure`` is a code or the name of a class, never a text."""
    row = _ours(work, taken)
    if row is not None:
        row.failure = failure
        _end(work, row, ReplayAction.FAIL)


def release(work: Work, taken: Taken) -> None:
    """Let whoever looks next go on with it at once."""
    row = _ours(work, taken)
    if row is not None:
        row.lease_until = work.now


def _end(work: Work, row: PolicyReplay, action: ReplayAction) -> None:
    row.state = move(REPLAY_MOVES, row.state, action)
    row.finished_at, row.lease_until = work.now, None


def _is_due(now: datetime) -> Any:
    abandoned = and_(PolicyReplay.state == ReplayState.RUNNING, PolicyReplay.lease_until <= now)
    return or_(PolicyReplay.state == ReplayState.QUEUED, abandoned)


def _ours(work: Work, taken: Taken) -> PolicyReplay | None:
    query = select(PolicyReplay).where(
        PolicyReplay.clinic_id == work.clinic_id,
        PolicyReplay.id == taken.id,
        PolicyReplay.attempt == taken.attempt,
        PolicyReplay.state == ReplayState.RUNNING,
    )
    return work.session.scalar(query.with_for_update())


def _kept_after(work: Work, taken: Taken, after: UUID | None) -> Sequence[PolicyReplayPatient]:
    query = select(PolicyReplayPatient).where(
        PolicyReplayPatient.clinic_id == work.clinic_id, PolicyReplayPatient.replay_id == taken.id
    )
    if after is not None:
        query = query.where(PolicyReplayPatient.patient_id > after)
    rows = work.session.scalars(query.order_by(PolicyReplayPatient.patient_id).limit(_PAGE)).all()
    return vault.opened(work, rows)
