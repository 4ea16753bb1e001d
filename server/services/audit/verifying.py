"""Does the chain of a clinic still hold: the first row that does not, and what is wrong with it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, bindparam, cast, select

from server.models import AuditEvent, AuditSeal
from server.models.types import IdText
from server.services.audit import audit_seal as seals
from server.services.audit.audit_seal import Head
from server.services.audit.chain import START, Recorded, link
from server.services.work import Work

_CHUNK = 1000
_NO_END = (1 << 63) - 1
_LOWEST = UUID(int=0)
_EVENT_ID = cast(AuditSeal.event_id, IdText).label("event_id")
# The columns of a link; what its event says stands after them.
_LINK = (AuditSeal.position, AuditSeal.digest, AuditSeal.proof, _EVENT_ID)
_WHOSE = (cast(AuditEvent.account_id, IdText), AuditEvent.action, cast(AuditEvent.patient_id, IdText))
_SAID = (AuditEvent.at, *_WHOSE, AuditEvent.object_id)
_PLACE = (
    AuditSeal.clinic_id == bindparam("clinic"),
    AuditSeal.position > bindparam("after"),
    AuditSeal.position <= bindparam("until"),
)
_EVENT = and_(AuditEvent.clinic_id == AuditSeal.clinic_id, AuditEvent.id == AuditSeal.event_id)
_LINKS: Select[*tuple[Any, ...]] = (
    select(*_LINK, *_SAID)
    .outerjoin(AuditEvent, _EVENT)
    .where(*_PLACE)
    .order_by(AuditSeal.position)
    .limit(_CHUNK)
)

Link = Row[*tuple[Any, ...]]


class Fault(StrEnum):
    """What can be wrong with a chain."""

    CHANGED = "changed"
    """the row does not say any more what was chained"""
    MISSING = "missing"
    """the row, or its link, is gone"""
    INSERTED = "inserted"
    """the row was put in later than it says"""
    REORDERED = "reordered"
    """rows have changed places"""
    CUT = "cut"
    """the end of the chain is gone"""
    REPLACED = "replaced"
    """the chain is another one than was proven, or written down outside"""
    FORGED = "forged"
    """what was written down outside is not from us"""
    UNPROVEN = "unproven"
    """the clinic's key does not open, so that no proof can be looked at"""


@dataclass(frozen=True, slots=True)
class Found:
    """The first bad row: its position, and the event where there is one."""

    fault: Fault
    position: int | None
    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a walk along a chain has come.

    ``end``: the last link that holds; ``proven``: the last position up to which there was a proof of ours;
    ``lines``: how many rows were walked; ``found``: the first bad row, at which it ended.
    """

    end: Head = Head(0, START)
    proven: int = 0
    lines: int = 0
    found: Found | None = None


def start(work: Work, after: int) -> Walk:
    """Return a walk that begins behind position ``after``, whose link is taken as it is stored."""
    if after == 0:
        return Walk()
    query = select(AuditSeal.digest).where(AuditSeal.clinic_id == work.clinic_id, AuditSeal.position == after)
    digest = work.session.scalar(query)
    if digest is None:
        return Walk(found=Found(Fault.MISSING, after))
    return Walk(Head(after, digest), after)


def onward(work: Work, walk: Walk, until: int | None = None) -> Walk:
    """Return ``walk`` some rows further on, up to ``until``; ``walk`` itself where there are none."""
    if walk.found is not None:
        return walk
    end, proven, keyed = walk.end, walk.proven, seals.has_key(work)
    rows = work.rows(_LINKS, after=end.position, until=_NO_END if until is None else until)
    for number, row in enumerate(rows, walk.lines + 1):
        found = _wrong_with(work, row, end)
        end = Head(row.position, row.digest, row.proof) if found is None else end
        if found is None and keyed and end.proof is not None:
            found = None if end.proof == seals.proof(work, end) else Found(Fault.REPLACED, proven + 1)
            proven = end.position
        if found is not None:
            return Walk(end, proven, number, found)
    return Walk(end, proven, walk.lines + len(rows)) if rows else walk


def ended(work: Work, walk: Walk) -> Found | None:
    """Return what is wrong with a chain that ends where ``walk`` does: its last link must be proven."""
    if walk.found is not None or walk.proven >= walk.end.position or not seals.has_key(work):
        return walk.found
    if walk.proven:
        return Found(Fault.CUT, walk.end.position + 1)
    return Found(Fault.REPLACED, 1)


def _wrong_with(work: Work, row: Link, end: Head) -> Found | None:
    position = end.position + 1
    if row.position != position:
        return Found(Fault.MISSING, position)
    event = _event_of(work, row)
    if event is None:
        return Found(Fault.MISSING, position, UUID(row.event_id))
    if link(end.digest, position, event) == row.digest:
        return None
    return Found(_kind_of_change(work, row, end), position, UUID(row.event_id))


def _kind_of_change(work: Work, bad: Link, end: Head) -> Fault:
    """Tell a row that was put in, or has changed places, from one that was changed, by the rows after it."""
    for row in work.rows(_LINKS, after=bad.position, until=_NO_END):
        event = _event_of(work, row)
        instead = None if event is None else link(end.digest, bad.position, event)
        if instead == bad.digest:
            return Fault.REORDERED
        if instead == row.digest:
            return Fault.INSERTED
    return Fault.CHANGED


def _event_of(work: Work, row: Link) -> Recorded | None:
    at = row.at
    return None if at is None else Recorded(work.clinic_id, row.event_id, at, *row[len(_LINK) + 1 :])


def late(work: Work, after: UUID = _LOWEST, until: UUID | None = None) -> Found | None:
    """Return the first row without a link that is older than what we would chain.

    Of ids above ``after`` and not above ``until``, where that is said.
    """
    most = seals.since(work)
    query = seals.unsealed(work, after, most if until is None else min(most, until)).limit(1)
    row = work.session.execute(query).first()
    return None if row is None else Found(Fault.INSERTED, None, row.id)
