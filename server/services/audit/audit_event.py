"""Reading the audit log: by the clinic's admin, and as a file that proves itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, select

from server.models import Account, AuditEvent, AuditSeal
from server.services.audit import audit_seal as seals
from server.services.audit.audit_seal import RECORDED, Head
from server.services.audit.chain import START
from server.services.work import Work

FILTERS = ("patient_id", "account_id", "action")
_SEAL = and_(AuditSeal.clinic_id == AuditEvent.clinic_id, AuditSeal.event_id == AuditEvent.id)
Line = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: ``equal`` (of `FILTERS`), and those from ``since`` on and before ``until``."""

    equal: Mapping[str, Any] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None


def page(work: Work, wanted: Wanted, before: UUID | None, size: int) -> Sequence[Line]:
    """Return up to ``size`` events with ids below ``before``, newest first, with who acted and the link."""
    query = select(*RECORDED).where(AuditEvent.clinic_id == work.clinic_id)
    query = query.where(*(getattr(AuditEvent, name) == value for name, value in wanted.equal.items()))
    if wanted.since is not None:
        query = query.where(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEvent.at < wanted.until)
    if before is not None:
        query = query.where(AuditEvent.id < before)
    return work.session.execute(_shown(query.order_by(AuditEvent.id.desc()).limit(size))).all()


def _shown(some: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Ask for ``some`` events, newest first, with the name of who acted and the link.

    The few are found before they are joined: a database that joins first goes through all of a log.
    """
    event = some.subquery("event").c
    query: Select[*tuple[Any, ...]] = select(
        *event, Account.name.label("account_name"), AuditSeal.position, AuditSeal.digest
    )
    sealed = and_(AuditSeal.clinic_id == event.clinic_id, AuditSeal.event_id == event.id)
    acting = and_(Account.clinic_id == event.clinic_id, Account.id == event.account_id)
    return query.outerjoin(AuditSeal, sealed).outerjoin(Account, acting).order_by(event.id.desc())


def chained(work: Work, after: int, until: int, size: int) -> Sequence[Line]:
    """Return up to ``size`` events of the chain after position ``after``, up to ``until``, in its order."""
    query: Select[*tuple[Any, ...]] = select(AuditSeal.position, *RECORDED, AuditSeal.digest)
    query = query.join(AuditEvent, _SEAL).where(
        AuditSeal.clinic_id == work.clinic_id, AuditSeal.position > after, AuditSeal.position <= until
    )
    return work.session.execute(query.order_by(AuditSeal.position).limit(size)).all()


def end_at(work: Work, position: int) -> Head:
    """Return the link at ``position``, on which a file that begins behind it builds; zeros where none is."""
    query = select(AuditSeal.digest).where(
        AuditSeal.clinic_id == work.clinic_id, AuditSeal.position == position
    )
    return Head(position, work.session.scalar(query) or START)


def ends(work: Work) -> tuple[Head, int]:
    """Return the end of the chain, and how many events wait for their link."""
    return seals.head(work), seals.unsealed_count(work)
