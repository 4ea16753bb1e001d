"""The clinic's scheduling system: how it is reached, what signs its messages, whether it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import ConnectionKind
from server.models import SchedulingConnection
from server.services import tally, vault
from server.services.cap import CONNECTION
from server.services.errors import Conflict, NotFound, Stale
from server.services.job_run import AHEAD
from server.services.messages.webhook_address import MOST_SECRETS, new_secret
from server.services.people import clinic as clinics
from server.services.work import Work
from server.services.work import system as actor_of

# While both sign, the clinic's system has time to take the new secret in.
OLD_SECRET_LASTS = timedelta(hours=24)
# Proposal: so long without a good answer is more than a restart.
SILENT_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Made:
    """A connection, and the secret that signs what its system sends us; shown this once."""

    connection: SchedulingConnection
    secret: str


@dataclass(frozen=True, slots=True)
class Listener:
    """What is needed to judge a message of a connection's system. ``proof``: how it is signed."""

    clinic_id: UUID
    connection_id: UUID
    secrets: tuple[str, ...]
    proof: Mapping[str, str]


def listed(work: Work) -> Sequence[SchedulingConnection]:
    """Return the clinic's connections, oldest first, also those that are not used any more."""
    query = _of_clinic(work).order_by(SchedulingConnection.id)
    return vault.opened(work, list(work.session.scalars(query)))


def get(work: Work, connection_id: UUID) -> SchedulingConnection:
    """Return one connection of the clinic, opened; raises NotFound."""
    row = work.session.scalar(_of_clinic(work).where(SchedulingConnection.id == connection_id))
    if row is None:
        raise NotFound("scheduling connection")
    return vault.opened(work, [row])[0]


def in_use(work: Work) -> SchedulingConnection | None:
    """Return the connection that suggestions go to, opened; None where the system only pulls."""
    row = work.session.scalar(_of_clinic(work).where(SchedulingConnection.retired_at.is_(None)))
    return None if row is None else vault.opened(work, [row])[0]


@dataclass(frozen=True, slots=True)
class System:
    """A scheduling system as its clinic describes it. ``proof``: how it signs what it sends us."""

    kind: ConnectionKind
    name: str
    config: Mapping[str, Any]
    proof: Mapping[str, str]


def create(work: Work, system: System) -> Made:
    """Connect the clinic's system. Raises Conflict where another one is in use: two would both book.

    TooMany: so many were connected of late that somebody tries out addresses.
    """
    clinics.lock(work)
    tally.take(work.session, work.now, CONNECTION, str(work.clinic_id))
    if in_use(work) is not None:
        raise Conflict("connection-in-use", "Another scheduling system is connected. Take that away first.")
    row = SchedulingConnection(
        clinic_id=work.clinic_id,
        id=uuid7(),
        kind=system.kind,
        name=system.name,
        proof=dict(system.proof),
        version=1,
        created_at=work.now,
    )
    secret = new_secret()
    vault.put(work, row, "config", dict(system.config))
    vault.put(work, row, "secrets", [secret])
    work.session.add(row)
    work.session.flush()
    work.audit("scheduling-connection.create", object_id=row.id)
    return Made(row, secret)


def change(work: Work, connection_id: UUID, version: int, system: System) -> SchedulingConnection:
    """Change all but the kind, as a whole; raises NotFound, Stale."""
    row = _locked(work, connection_id)
    if row.version != version:
        raise Stale(row)
    row.name, row.proof, row.version = system.name, dict(system.proof), row.version + 1
    row.failing_since = row.failure = row.checked_at = None
    vault.put(work, row, "config", dict(system.config))
    work.session.flush()
    work.audit("scheduling-connection.change", object_id=row.id)
    return row


def rotate(work: Work, connection_id: UUID) -> Made:
    """Give its messages a new secret; those before are good for a day more."""
    row = _locked(work, connection_id)
    secret = new_secret()
    vault.put(work, row, "secrets", [secret, *_good(row, work.now)][:MOST_SECRETS])
    row.rotated_at = work.now
    work.session.flush()
    work.audit("scheduling-connection.rotate", object_id=row.id)
    return Made(row, secret)


def retire(work: Work, connection_id: UUID) -> None:
    """Use a connection no more; its config and secrets are forgotten. What is booked stays as it is."""
    row = _locked(work, connection_id)
    row.retired_at, row.version = work.now, row.version + 1
    vault.put(work, row, "config", {})
    vault.put(work, row, "secrets", [])
    work.session.flush()
    work.audit("scheduling-connection.delete", object_id=row.id)


def ask_for_check(work: Work, connection_id: UUID) -> SchedulingConnection:
    """Let all open visits be compared with its system at the next run. Raises NotFound."""
    row = _locked(work, connection_id)
    row.checked_at = None
    work.session.flush()
    work.audit("scheduling-connection.check", object_id=row.id)
    return row


def due_for_check(session: Session, now: datetime, every: timedelta) -> Sequence[tuple[UUID, UUID]]:
    """Return clinic and id of the connections in use that were not compared for as long as ``every``.

    Also where their systems were asked at a moment still to come: by a clock that was ahead, which has put
    off every next question as well.
    """
    checked_at, soon = SchedulingConnection.checked_at, now + AHEAD
    asked = (checked_at, SchedulingConnection.answered_at, SchedulingConnection.failing_since)
    is_ahead = or_(*(moment > soon for moment in asked))
    # Beside a machine whose clock stays ahead it would else be asked of everything at every look.
    not_just_now = or_(checked_at < now - AHEAD, checked_at > soon)
    is_due = or_(checked_at.is_(None), checked_at < now - every, and_(is_ahead, not_just_now))
    query = select(SchedulingConnection.clinic_id, SchedulingConnection.id).where(
        SchedulingConnection.retired_at.is_(None), is_due
    )
    return [(row.clinic_id, row.id) for row in session.execute(query.order_by(SchedulingConnection.id))]


def compared(work: Work, connection_id: UUID) -> None:
    """Note that all visits of its system are being compared."""
    row = work.session.get_one(SchedulingConnection, (work.clinic_id, connection_id))
    row.checked_at = work.now
    row.answered_at = row.answered_at and min(row.answered_at, work.now)
    row.failing_since = row.failing_since and min(row.failing_since, work.now)


def hold(work: Work, connection_id: UUID) -> None:
    """Lock a connection before its copies are, as whoever changes it does: else each waits for the other."""
    mine = _of_clinic(work).where(SchedulingConnection.id == connection_id)
    work.session.scalar(mine.with_for_update(key_share=True))


def answered(work: Work, connection_id: UUID) -> None:
    """Note that its system gave an answer; after a long silence all visits are compared at the next run.

    Each would wait for its own next try else, which may be a day away.
    """
    row = work.session.get_one(SchedulingConnection, (work.clinic_id, connection_id))
    if row.failing_since is not None and work.now - row.failing_since >= SILENT_FOR:
        row.checked_at = None
    row.answered_at, row.failing_since, row.failure = work.now, None, None


def failed(work: Work, connection_id: UUID, why: str) -> SchedulingConnection:
    """Note that its system gave none; return the connection."""
    row = work.session.get_one(SchedulingConnection, (work.clinic_id, connection_id))
    row.failing_since, row.failure = row.failing_since or work.now, why[:64]
    return row


def listener(session: Session, now: datetime, connection_id: UUID) -> Listener | None:
    """Return how messages of one connection of any clinic are judged; None where there is none in use."""
    query = select(SchedulingConnection).where(
        SchedulingConnection.id == connection_id, SchedulingConnection.retired_at.is_(None)
    )
    row = session.scalar(query)
    if row is None:
        return None
    vault.opened(Work(session, now, actor_of(row.clinic_id)), [row])
    return Listener(row.clinic_id, row.id, tuple(_good(row, now)), row.proof)


def _good(row: SchedulingConnection, now: datetime) -> Sequence[str]:
    over = row.rotated_at is not None and now >= row.rotated_at + OLD_SECRET_LASTS
    return list(row.secrets[:1] if over else row.secrets)


def _locked(work: Work, connection_id: UUID) -> SchedulingConnection:
    query = _of_clinic(work).where(
        SchedulingConnection.id == connection_id, SchedulingConnection.retired_at.is_(None)
    )
    row = work.session.scalar(query.with_for_update())
    if row is None:
        raise NotFound("scheduling connection")
    return vault.opened(work, [row])[0]


def _of_clinic(work: Work) -> Select[SchedulingConnection]:
    return select(SchedulingConnection).where(SchedulingConnection.clinic_id == work.clinic_id)
