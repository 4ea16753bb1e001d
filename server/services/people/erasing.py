"""The rows of a patient go, some at a time, and are counted as they go: a run that was cut off goes on."""

import hashlib
import json
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, Table, and_, delete, exists, select, tuple_, update

from server.clinical.vocabulary import ErasureState
from server.models import Delivery, Erasure, Patient
from server.services.people import erasure_plan as plan
from server.services.people import legal_hold as legal_holds
from server.services.work import Work

BATCH = 500


def step(work: Work, erasure_id: UUID, size: int = BATCH, heeds_holds: bool = True) -> bool:
    """Delete up to ``size`` rows; return whether anything may be left to do.

    False too where another worker has it in hand, or a legal hold stands. The counts grow in the same
    transaction. The patient's own row is the last: with it the erasure is done.
    """
    erasure = _taken(work, erasure_id)
    if erasure is None:
        return False
    # Nobody writes to the patient meanwhile; a writer who was first is seen, one who placed a hold too.
    work.session.get(Patient, (work.clinic_id, erasure.patient_id), with_for_update=True)
    if heeds_holds and legal_holds.is_held(work, erasure.patient_id):
        return False
    _free_bundles(work, erasure.patient_id)
    left = size
    for table in plan.tables():
        gone = _delete(work, table, erasure.patient_id, left)
        left -= gone
        if gone:
            erasure.counts = {**erasure.counts, table.name: erasure.counts.get(table.name, 0) + gone}
        if not left:
            return True
    _finish(work, erasure)
    return False


def counts(work: Work, patient_id: UUID) -> dict[str, int]:
    """Return how many rows each table has of a patient now; tables without any are left out."""
    values = plan.values(work.clinic_id, patient_id)
    found = {
        table.name: len(work.session.execute(select(*table.primary_key).where(_mine(table)), values).all())
        for table in plan.tables()
    }
    return {name: number for name, number in found.items() if number}


def receipt(erasure: Erasure) -> dict[str, Any]:
    """Return what the hash of an erasure's receipt is made of."""
    assert erasure.finished_at is not None, "it is done"
    return {
        "clinic_id": str(erasure.clinic_id),
        "erasure_id": str(erasure.id),
        "patient_id": str(erasure.patient_id),
        "finished_at": erasure.finished_at.isoformat(),
        "counts": erasure.counts,
    }


def _taken(work: Work, erasure_id: UUID) -> Erasure | None:
    key = (work.clinic_id, erasure_id)
    wanted = and_(Erasure.clinic_id == key[0], Erasure.id == key[1])
    query = select(Erasure).where(wanted, Erasure.state == ErasureState.CONFIRMED)
    return work.session.scalar(query.with_for_update(skip_locked=True))


def _delete(work: Work, table: Table, patient_id: UUID, size: int) -> int:
    values, key = plan.values(work.clinic_id, patient_id), tuple(table.primary_key)
    some = select(*key).where(_mine(table)).limit(size)
    gone = work.session.execute(delete(table).where(tuple_(*key).in_(some)), values)
    return cast("CursorResult[Any]", gone).rowcount


def _mine(table: Table) -> ColumnElement[bool]:
    return cast("ColumnElement[bool]", plan.rows(table, plan.the_one))


def _free_bundles(work: Work, patient_id: UUID) -> None:
    """Let messages about others go out by themselves that were to go as one with a message of this patient.

    They would wait for ever for the first of their bundle.
    """
    table = cast(Table, Delivery.__table__)
    first = table.alias("first")
    mine = select(table.c.id).where(_mine(table)).scalar_subquery()
    ours = and_(first.c.clinic_id == work.clinic_id, first.c.id == table.c.bundle_id, first.c.id.in_(mine))
    bundled = update(table).where(
        table.c.clinic_id == work.clinic_id, table.c.bundle_id.is_not(None), table.c.id != table.c.bundle_id
    )
    stmt = bundled.where(exists(select(first.c.id).where(ours))).values(bundle_id=None)
    work.session.execute(stmt, plan.values(work.clinic_id, patient_id))


def _finish(work: Work, erasure: Erasure) -> None:
    erasure.state, erasure.finished_at = ErasureState.DONE, work.now
    erasure.version += 1
    said = json.dumps(receipt(erasure), sort_keys=True)
    erasure.receipt_hash = hashlib.sha256(said.encode()).hexdigest()
    work.audit("erasure.done", erasure.patient_id, erasure.id)
