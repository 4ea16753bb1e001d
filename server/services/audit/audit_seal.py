"""Chain what is committed: one link an event, in an order of its own, without writers waiting for it.

An event is written unchained, in the transaction of what it tells of. A job chains later what it finds
committed, so an event of a long transaction comes after younger ones: positions say the order in which
events were seen, not when they happened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, insert, select
from sqlalchemy.orm import Session

from server import isolation
from server.models import AuditEvent, AuditSeal, Clinic, ClinicKey
from server.services import vault
from server.services.audit.chain import START, Recorded, link
from server.services.work import Work

# On SQLite nobody else writes while a batch is chained.
BATCH = 250
GRACE = timedelta(hours=1)
"""So long after the newest link an event may still be committed. What comes later is told, not chained."""
NEAR = timedelta(minutes=1)
"""How far back the look of every few seconds goes: what lies before was chained, as a rule."""

RECORDED = (
    *(AuditEvent.clinic_id, AuditEvent.id, AuditEvent.at, AuditEvent.account_id),
    *(AuditEvent.action, AuditEvent.patient_id, AuditEvent.object_id),
)
_SEALED = and_(AuditSeal.clinic_id == AuditEvent.clinic_id, AuditSeal.event_id == AuditEvent.id)
_BELOW_THE_TIME = 80
_LARGEST = (1 << _BELOW_THE_TIME) - 1
_LAST_EVENT = (
    select(AuditEvent.id)
    .where(AuditEvent.clinic_id == Clinic.id)
    .order_by(AuditEvent.id.desc())
    .limit(1)
    .scalar_subquery()
)
_SETTLED = (
    select(AuditSeal.event_id)
    .where(AuditSeal.clinic_id == Clinic.id, AuditSeal.event_id <= bindparam("settled"))
    .order_by(AuditSeal.event_id.desc())
    .limit(1)
    .scalar_subquery()
)
_ENDS = select(Clinic.id, _LAST_EVENT, _SETTLED).order_by(Clinic.id)


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a chain; position 0 where there is none yet."""

    position: int
    digest: bytes
    proof: str | None = None


def clinics_concerned(session: Session, now: datetime) -> Sequence[UUID]:
    """Return the clinics, whichever, with an event younger than their newest link of a minute ago.

    Most are quiet, and there may be very many. What a transaction of more than a minute brings to a quiet
    clinic is found by whoever looks back further, minutes later.
    """
    isolation.expect_all(session)
    ends = session.execute(_ENDS, {"settled": lowest_id(now - NEAR, _LARGEST)})
    return [clinic_id for clinic_id, last, settled in ends if last and (settled is None or last > settled)]


def seal(work: Work, after: UUID, size: int = BATCH) -> Sequence[UUID]:
    """Chain up to ``size`` further events of the actor's clinic with ids above ``after``; return their ids.

    `since` says where to begin; the last id that is returned, where to go on.
    """
    _wait_for_others(work)
    found = work.session.execute(unsealed(work, after).limit(size)).all()
    if not found:
        return []
    last = head(work)
    links = _links(last, [Recorded(*row) for row in found])
    end = Head(links[-1]["position"], links[-1]["digest"])
    # A clinic whose keys were destroyed goes on without proofs.
    links[-1]["proof"] = proof(work, end) if has_key(work) else None
    work.session.execute(insert(AuditSeal), links)
    return [one["event_id"] for one in links]


def _links(last: Head, events: Sequence[Recorded]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    before = last.digest
    for position, event in enumerate(events, last.position + 1):
        before = link(before, position, event)
        key = {"clinic_id": event.clinic_id, "position": position, "event_id": event.id}
        made.append({**key, "digest": before, "proof": None})
    return made


def head(work: Work) -> Head:
    """Return the last link of the clinic's chain."""
    query = select(AuditSeal.position, AuditSeal.digest, AuditSeal.proof)
    ours = query.where(AuditSeal.clinic_id == work.clinic_id)
    found = work.session.execute(ours.order_by(AuditSeal.position.desc()).limit(1)).first()
    return Head(*found) if found else Head(0, START)


def unsealed(work: Work, after: UUID, before: UUID | None = None) -> Select[*tuple[Any, ...]]:
    """Ask for the clinic's events without a link, ids above ``after`` and not above ``before``, in order."""
    # Said of the links too: PostgreSQL would go through all of them for a handful of events.
    query = select(*RECORDED).outerjoin(
        AuditSeal, and_(_SEALED, *_between(AuditSeal.event_id, after, before))
    )
    mine = query.where(AuditEvent.clinic_id == work.clinic_id, *_between(AuditEvent.id, after, before))
    return mine.where(AuditSeal.event_id.is_(None)).order_by(AuditEvent.id)


def _between(event_id: Any, after: UUID, before: UUID | None) -> list[ColumnElement[bool]]:
    return [event_id > after, *([event_id <= before] if before is not None else [])]


def is_waiting(work: Work, after: UUID) -> bool:
    """Say whether any event with an id above ``after`` waits for its link."""
    return work.session.execute(unsealed(work, after).limit(1)).first() is not None


def unsealed_count(work: Work) -> int:
    """Return how many events wait for their link."""
    waiting = unsealed(work, since(work)).order_by(None).subquery()
    return work.session.scalar(select(func.count()).select_from(waiting)) or 0


def since(work: Work, back: timedelta = GRACE) -> UUID:
    """Return the id above which to look: of what was made so long ``back`` before the newest link.

    An id (UUIDv7) says when it was made. Whoever puts an older event in by hand would otherwise have it
    chained by us, as if it had always been there. A process with a fast clock must not move the bound on.
    """
    newest = _newest(work, lowest_id(work.now, _LARGEST))
    if newest is not None:
        return lowest_id(time_of(newest) - back)
    return UUID(int=0) if head(work).position == 0 else lowest_id(work.now - back)


def proof(work: Work, end: Head) -> str:
    """Return the HMAC of a chain's end under the clinic's key; raises SealError where there is no key.

    The key is not in the database: whoever has only that can hash a chain anew, but not prove it.
    """
    place = f"audit_seals.proof/{work.clinic_id}"
    return vault.keyring(work).digest(f"{end.position} {end.digest.hex()}", place)


def has_key(work: Work) -> bool:
    """Say whether the clinic has a key: without one nothing can be proven."""
    query = select(ClinicKey.key_id).where(ClinicKey.clinic_id == work.clinic_id).limit(1)
    return work.session.scalar(query) is not None


def oldest(work: Work) -> UUID | None:
    """Return the lowest id of an event in the clinic's chain."""
    ours = select(AuditSeal.event_id).where(AuditSeal.clinic_id == work.clinic_id)
    return work.session.scalar(ours.order_by(AuditSeal.event_id).limit(1))


def _newest(work: Work, most: UUID) -> UUID | None:
    ours = select(AuditSeal.event_id).where(AuditSeal.clinic_id == work.clinic_id)
    return work.session.scalar(
        ours.where(AuditSeal.event_id <= most).order_by(AuditSeal.event_id.desc()).limit(1)
    )


def _wait_for_others(work: Work) -> None:
    # On SQLite there is one writer anyway. A lock of a row would keep others from it; this one is nobody's.
    if work.session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(sha256(b"audit" + work.clinic_id.bytes).digest()[:8], signed=True)
        work.session.execute(select(func.pg_advisory_xact_lock(number)))


def lowest_id(moment: datetime, rest: int = 0) -> UUID:
    """Return the lowest UUIDv7 of a moment, or with ``rest`` all ones the highest."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return UUID(int=milliseconds << _BELOW_THE_TIME | rest)


def time_of(event_id: UUID) -> datetime:
    """Return when an id (UUIDv7) says that it was made."""
    return datetime.fromtimestamp((event_id.int >> _BELOW_THE_TIME) / 1000, UTC)
