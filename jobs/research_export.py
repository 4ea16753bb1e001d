"""A file for research, of the patients of one clinic who agreed: one JSON value a line."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from jobs.problem import Problem
from server.database import Database
from server.isolation import Extent
from server.services.errors import NotFound, Withheld
from server.services.journal import research
from server.services.people import clinic as clinics
from server.services.work import Work, system


def lines(database: Database, slug: str, now: datetime) -> Iterator[str]:
    """Yield the file, its head first. Problem where there is no such clinic.

    Each patient's consent is asked for when their turn comes: who withdraws or leaves meanwhile is not in it.
    """
    with database.read(Extent.DOOR) as session:
        clinic = clinics.by_slug(session, slug)
        if clinic is None:
            raise Problem(f"There is no clinic {slug}.")
        work = Work(session, now, system(clinic.id))
        clinic_id, head, ids = clinic.id, research.head(work), list(research.agreed(work))
    yield _line(head)
    for patient_id in ids:
        yield from map(_line, _rows(database, clinic_id, patient_id, now))


def _rows(database: Database, clinic_id: UUID, patient_id: UUID, now: datetime) -> Sequence[research.Row]:
    try:
        with database.write() as session:
            return research.rows(Work(session, now, system(clinic_id)), patient_id)
    except (NotFound, Withheld):
        return ()


def _line(value: object) -> str:
    return f"{json.dumps(value, ensure_ascii=False)}\n"
