"""Of whom a message is: the patients it is about, or to whom it goes."""

from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, Table, bindparam, select, union_all

from server.clinical.vocabulary import DeliverySubject
from server.models import Account, Delivery
from server.services.people import erasure_plan
from server.services.people import patient as patients
from server.services.work import Work

# Of nobody else: where no patient is found any more they were erased.
_OF_PATIENTS = frozenset({DeliverySubject.ALERT, DeliverySubject.VISIT})


def stays(work: Work, row: Delivery) -> bool:
    """Return whether whoever a message is about or goes to is here, and let nobody begin to erase them.

    True where it is about no patient. What is written in its place asks for this first: the erasure that
    waits for ``row`` does not see it.
    """
    found = of(work, row)
    if not found:
        return row.subject not in _OF_PATIENTS
    return all(patients.stays(work, one) for one in sorted(found))


def of(work: Work, row: Delivery) -> set[UUID]:
    """Return the patients of a message, none where it is about nobody."""
    return {one.patient_id for one in work.rows(_QUERY, subject=row.subject_id, account=row.account_id)}


def _patients(table: Table, name: str) -> Select[Any]:
    mine = table.c.clinic_id == bindparam("clinic"), table.c.id == bindparam(name)
    return select(table.c.patient_id).where(*mine, table.c.patient_id.is_not(None))


_QUERY = union_all(
    _patients(cast(Table, Account.__table__), "account"),
    *(_patients(table, "subject") for table in erasure_plan.named_by("deliveries", "subject_id")),
)
