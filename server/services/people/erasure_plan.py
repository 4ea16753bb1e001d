"""Which rows are a patient's, worked out from the tables themselves, and in which order they can go.

A table's rows are a patient's where it names the patient, where a foreign key leads to such a row, or where
one of the few columns below names one without a key. A new table is taken along by itself; a test asks of
every table whether it should be.
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, func, or_, select, tuple_

from server.clinical.vocabulary import MappingKind
from server.models import Base

Condition = ColumnElement[bool]
# Given the columns that name clinic and patient: what holds for the patients asked about.
Whose = Callable[[Any, Any], Condition]

KEPT: Mapping[str, str] = MappingProxyType(
    {
        "audit_events": "ids and verbs: who saw what must stay provable",
        "audit_seals": "the chain over them: it would not hold any more",
        "erasures": "the tombstone: ids, moments and counts",
        "rotas": "name staff alone",
        "shifts": "name staff alone",
        "tallies": "keyed digests, each forgotten within 90 days",
    }
)
"""Tables that lead to a patient, or could, and stay: each with its reason."""

# Columns that name something of a patient without a key to it: table, column, what it names.
_LOOSE = (
    ("deliveries", "subject_id", "alerts"),
    ("deliveries", "subject_id", "booking_suggestions"),
    ("deliveries", "subject_id", "break_glass"),
    ("deliveries", "subject_id", "invitations"),
    ("recoveries", "account_id", "accounts"),
    ("scheduling_events", "suggestion_id", "booking_suggestions"),
)
# Here a patient's id stands as text beside other things of ours.
_MAPPINGS = "scheduling_mappings"


def the_one(clinic: Any, patient: Any) -> Condition:
    """Return what holds for one patient, whose ids `values` gives."""
    return and_(clinic == _clinic(), patient == bindparam("patient", type_=_patients().c.id.type))


def values(clinic_id: UUID, patient_id: UUID) -> dict[str, Any]:
    """Return the values of the parameters in the conditions about one patient."""
    return {"clinic": clinic_id, "patient": patient_id, "patient_text": patient_id.hex}


@cache
def tables() -> tuple[Table, ...]:
    """Return the tables with rows of patients, in an order in which they can go; the patient's own last."""
    mine = [t for t in reversed(Base.metadata.sorted_tables) if rows(t, the_one) is not None]
    # What names a row without a key must go while that row is still there to be found by.
    loose = [table for table in mine if table.name in {name for name, _, _ in _LOOSE}]
    first = [*(t for t in mine if any(_points_at(t, one) for one in loose)), *loose]
    return (*first, *(t for t in mine if t not in (*first, _patients())), _patients())


@cache
def rows(table: Table, whose: Whose) -> Condition | None:
    """Return what holds for the rows of the patients that ``whose`` means; None: there are none in it."""
    if table.name in KEPT:
        return None
    if table is _patients():
        return whose(table.c.clinic_id, table.c.id)
    if "patient_id" in table.c:
        return whose(table.c.clinic_id, table.c.patient_id)
    ways = [*_by_key(table, whose), *_by_name(table, whose)]
    return or_(*ways) if ways else None


def named_by(name: str, column: str) -> list[Table]:
    """Return the tables of which a column of ``name`` names rows without a key to them."""
    return [Base.metadata.tables[one] for table, by, one in _LOOSE if (table, by) == (name, column)]


def _by_key(table: Table, whose: Whose) -> list[Condition]:
    above = [
        (key, rows(key.referred_table, whose))
        for key in table.foreign_key_constraints
        if key.referred_table is not table
    ]
    return [
        tuple_(*key.columns).in_(select(*(one.column for one in key.elements)).where(condition))
        for key, condition in above
        if condition is not None
    ]


def _by_name(table: Table, whose: Whose) -> list[Condition]:
    if table.name == _MAPPINGS:
        # Only one patient can be asked for: no database compares its own ids with text.
        # As it was written, in capitals perhaps: so an earlier version kept it.
        ours = func.replace(func.lower(table.c.ours), "-", "") == bindparam("patient_text")
        named = and_(table.c.kind == MappingKind.PATIENT, ours, table.c.clinic_id == _clinic())
        return [named] if whose is the_one else []
    return [
        tuple_(table.c.clinic_id, table.c[column]).in_(_ids(parent, whose))
        for name, column, parent in _LOOSE
        if name == table.name
    ]


def _ids(name: str, whose: Whose) -> Select[Any]:
    parent = Base.metadata.tables[name]
    return select(parent.c.clinic_id, parent.c.id).where(cast(Condition, rows(parent, whose)))


def _clinic() -> Any:
    return bindparam("clinic", type_=_patients().c.id.type)


def _points_at(table: Table, other: Table) -> bool:
    return any(key.referred_table is other for key in table.foreign_key_constraints)


def _patients() -> Table:
    return Base.metadata.tables["patients"]
