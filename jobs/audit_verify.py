"""Walks every audit chain once a day, holds it against the ends noted outside, and pages operations."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from jobs import anchor_file
from jobs.around import Around
from server.database import Database
from server.isolation import Extent
from server.services.audit import anchor
from server.services.audit import audit_seal as seals
from server.services.audit.anchor import Compared
from server.services.audit.verifying import Fault, Found, first_fault
from server.services.messages import operations
from server.services.people import clinic as clinics
from server.services.work import Work, system

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verified:
    """One clinic: how long its chain is, up to where the anchors agree, what waits, and the first bad row."""

    clinic_id: UUID
    position: int
    anchored: int
    unsealed: int
    found: Found | None


def run(around: Around, now: datetime) -> int:
    """Verify every clinic's chain and page operations of each that does not hold; return how many hold."""
    verified = list(verify(around.database, now, [around.settings.anchor_file]))
    for one in verified:
        if one.found is not None:
            _page(around, now, one.clinic_id, one.found)
    return sum(one.found is None for one in verified)


def verify(
    database: Database, now: datetime, files: Sequence[Path], only: UUID | None = None
) -> Iterator[Verified]:
    """Yield the verdict on each clinic (or ``only`` one), also on one that only the anchors know.

    Raises `Problem` for an anchor file that can't be read.
    """
    with database.read(Extent.ALL) as session:
        known = {only} if only else {clinic.id for clinic in clinics.ever(session)}
    compared = _compared(database, now, files, only)
    for clinic_id in sorted(known | compared.keys()):
        said = compared.get(clinic_id, Compared())
        with database.read() as session:
            work = Work(session, now, system(clinic_id))
            found = first_fault(work) or said.found
            end, waiting = seals.head(work).position, seals.unsealed_count(work)
        yield Verified(clinic_id, end, said.agreed, waiting, found)


def _compared(
    database: Database, now: datetime, files: Sequence[Path], only: UUID | None
) -> dict[UUID, Compared]:
    so_far: dict[UUID, Compared] = {}
    batches = (batch for file in files for batch in anchor_file.batches(file))
    for clinic_id, anchors in ((one, some) for one, some in batches if only in (None, one)):
        with database.read() as session:
            work = Work(session, now, system(clinic_id))
            so_far[clinic_id] = anchor.compare(work, anchors, so_far.get(clinic_id, Compared()))
    return so_far


def told(found: Found) -> str:
    """Return a bad row in words: ids and positions only."""
    place = "before what is chained" if found.position is None else f"at position {found.position}"
    row = "" if found.event_id is None else f", event {found.event_id}"
    words = {Fault.FORGED: "an anchor is not from here", Fault.CUT: "the end is missing"}
    return f"{words.get(found.fault, found.fault.value)} {place}{row}"


def _page(around: Around, now: datetime, clinic_id: UUID, found: Found) -> None:
    log.error("the audit log of clinic %s does not hold: %s", clinic_id, told(found))
    with around.database.write(Extent.DOOR) as session:
        operations.page(session, now, "audit_broken", f"audit:{clinic_id}:{now:%Y-%m-%d}")
