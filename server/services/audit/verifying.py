"""Does the chain of a clinic still hold: the first row that does not, and what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, bindparam, select

from server.models import AuditEvent, AuditSeal
from server.services.audit import audit_seal as seals
from server.services.audit.audit_seal import RECORDED, Head
from server.services.audit.chain import START, Recorded, link
from server.services.work import Work

_CHUNK = 1000
# The columns of a link; what its event says stands after them.
_LINK = (AuditSeal.position, AuditSeal.event_id, AuditSeal.digest, AuditSeal.proof)
_PLACE = (AuditSeal.clinic_id == bindparam("clinic"), AuditSeal.position > bindparam("after"))
_EVENT = and_(AuditEvent.clinic_id == AuditSeal.clinic_id, AuditEvent.id == AuditSeal.event_id)
_LINKS: Select[*tuple[Any, ...]] = (
    select(*_LINK, *RECORDED)
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


@dataclass(frozen=True, slots=True)
class Found:
    """The first bad row: its position, and the event where there is one."""

    fault: Fault
    position: int | None
    event_id: UUID | None = None


def first_fault(work: Work) -> Found | None:
    """Walk the clinic's whole chain and return the first bad row, None where all hold."""
    end, proven, keyed = Head(0, START), 0, seals.has_key(work)
    for row in _links(work):
        found = _wrong_with(work, row, end)
        if found is not None:
            return found
        end = Head(row.position, row.digest, row.proof)
        is_end = keyed and end.proof is not None
        if is_end and end.proof != seals.proof(work, end):
            return Found(Fault.REPLACED, proven + 1)
        proven = end.position if is_end else proven
    if keyed and proven < end.position:
        return Found(Fault.CUT if proven else Fault.REPLACED, end.position + 1 if proven else 1)
    return _late(work)


def _links(work: Work) -> Iterator[Link]:
    after = 0
    while found := work.rows(_LINKS, after=after):
        yield from found
        after = found[-1].position


def _wrong_with(work: Work, row: Link, end: Head) -> Found | None:
    position = end.position + 1
    if row.position != position:
        return Found(Fault.MISSING, position)
    event = _event_of(row)
    if event is None:
        return Found(Fault.MISSING, position, row.event_id)
    if link(end.digest, position, event) == row.digest:
        return None
    return Found(_kind_of_change(work, row, end), position, row.event_id)


def _kind_of_change(work: Work, bad: Link, end: Head) -> Fault:
    """Tell a row that was put in, or has changed places, from one that was changed, by the rows after it."""
    for row in work.rows(_LINKS, after=bad.position):
        event = _event_of(row)
        instead = None if event is None else link(end.digest, bad.position, event)
        if instead == bad.digest:
            return Fault.REORDERED
        if instead == row.digest:
            return Fault.INSERTED
    return Fault.CHANGED


def _event_of(row: Link) -> Recorded | None:
    said = row[len(_LINK) :]
    return None if said[0] is None else Recorded(*said)


def _late(work: Work) -> Found | None:
    """Return the first row without a link that is older than what we would chain."""
    query = seals.unsealed(work, UUID(int=0), seals.since(work)).limit(1)
    row = work.session.execute(query).first()
    return None if row is None else Found(Fault.INSERTED, None, row.id)
