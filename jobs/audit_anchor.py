"""Writes down outside the database where the audit chains end, so that a cut or replaced chain shows."""

from datetime import datetime
from uuid import UUID

from jobs import anchor_file, audit_seal
from jobs.around import Around
from jobs.each_clinic import each_clinic
from server.services.audit import anchor
from server.services.audit.anchor import Anchor
from server.services.audit.audit_seal import GRACE
from server.services.work import Work, system

# What this process wrote last: a chain that has not grown is not written again.
_written: dict[tuple[str, UUID], str] = {}


def run(around: Around, now: datetime) -> int:
    """Add the end of every clinic's chain that has grown; return how many."""
    return each_clinic(around, "audit_anchor", lambda one: _write(around, now, one), closed_too=True)


def _write(around: Around, now: datetime, clinic_id: UUID) -> int:
    # What was committed so late that the look of every few seconds passes it by gets its link here.
    audit_seal.seal(around, now, clinic_id, GRACE)
    with around.database.read() as session:
        end = anchor.take(Work(session, now, system(clinic_id)))
    return 0 if end is None else _append(around, end)


def _append(around: Around, end: Anchor) -> int:
    file = around.settings.anchor_file
    key = (str(file), end.clinic_id)
    if _written.get(key) == end.digest:
        return 0
    anchor_file.append(file, [end])
    _written[key] = end.digest
    return 1
