"""Verifies the audit chains once a day, holds them against the ends noted outside, and pages operations."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from jobs import anchor_file, audit_noted
from jobs.around import Around, Incomplete
from jobs.audit_day import Day, Judged
from jobs.audit_walk import Chain
from jobs.problem import Problem
from server.database import Database
from server.isolation import Extent
from server.services.audit import audit_seal as seals
from server.services.audit.anchor import Compared
from server.services.audit.verifying import Fault, Found
from server.services.messages import operations
from server.services.people import clinic as clinics

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verified:
    """One clinic: how long its chain is, up to where the anchors agree, what waits, and the first bad row.

    ``noted``: when the end was written down that the chain contradicts; None where no noted end speaks of it.
    """

    clinic_id: UUID
    position: int
    anchored: int
    unsealed: int
    found: Found | None
    noted: datetime | None = None


def run(around: Around, now: datetime) -> int:
    """Verify of every clinic's chain what today has to, and page operations of each that does not hold.

    Return how many hold. Where one does, up to where is noted: the next day goes on from there. Where not,
    the days add up, so that what was found is found again. Raises `Incomplete`, at the end, where it could
    not be noted, and `Problem` for noted ends that can't be read: operations are paged of that, too.
    """
    try:
        return _run(around, now)
    except Problem as problem:
        log.error("the audit logs can't be verified: %s", problem)
        _tell(around, now, "noted")
        raise


def _run(around: Around, now: datetime) -> int:
    day, good, failed = Day(around.database, now, around.settings.anchor_file), 0, ""
    for one in day.judge(_known(around.database)):
        log.info("of the audit log of clinic %s %s lines were walked", one.clinic_id, one.lines)
        if one.found is None:
            failed = _not_noted(day, one) or failed
            good += 1
        else:
            _page(around, now, one.clinic_id, one.found)
        if around.stopping.is_set():
            break
    if failed:
        raise Incomplete(f"what was verified could not be noted: {failed}")
    return good


def _not_noted(day: Day, some: Judged) -> str:
    """Note up to where a chain holds; return what kept that from being done.

    It must keep nobody from being told of the chains that come after it.
    """
    try:
        day.note(some)
    except OSError as error:
        return type(error).__name__
    return ""


def verify(
    database: Database, now: datetime, files: Sequence[Path], only: UUID | None = None
) -> Iterator[Verified]:
    """Walk everything: yield the verdict on each clinic (or ``only`` one), also on one only anchors know.

    Raises `Problem` for an anchor file that can't be read.
    """
    known = {only} if only else _known(database)
    batches = (batch for file in files for batch in anchor_file.batches(file) if only in (None, batch[0]))
    compared = audit_noted.compared(database, now, batches)
    for clinic_id in sorted(known | compared.keys()):
        said, chain = compared.get(clinic_id, Compared()), Chain(database, now, clinic_id)
        found = chain.whole().found
        with chain.work() as work:
            end, waiting = seals.head(work).position, seals.unsealed_count(work)
        one = Verified(clinic_id, end, said.agreed, waiting, found)
        yield one if found else replace(one, found=said.found, noted=said.noted)


def _known(database: Database) -> set[UUID]:
    with database.read(Extent.ALL) as session:
        return {clinic.id for clinic in clinics.ever(session)}


def told(found: Found) -> str:
    """Return a bad row in words: ids and positions only."""
    place = "before what is chained" if found.position is None else f"at position {found.position}"
    row = "" if found.event_id is None else f", event {found.event_id}"
    words = {
        Fault.FORGED: "an anchor is not from here",
        Fault.CUT: "the end is missing",
        Fault.UNPROVEN: "the clinic's key does not open, so nothing is proven",
    }
    return f"{words.get(found.fault, found.fault.value)} {place}{row}"


def _page(around: Around, now: datetime, clinic_id: UUID, found: Found) -> None:
    log.error("the audit log of clinic %s does not hold: %s", clinic_id, told(found))
    _tell(around, now, str(clinic_id))


def _tell(around: Around, now: datetime, what: str) -> None:
    with around.database.write(Extent.DOOR) as session:
        operations.page(session, now, "audit_broken", f"audit:{what}:{now:%Y-%m-%d}")
