"""What has been kept for as long as its kind is kept goes, clinic by clinic, some rows a transaction."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from uuid import UUID

from jobs.around import Around
from jobs.each_clinic import each_of
from server.database import Database
from server.isolation import Extent
from server.services import retention as kinds
from server.services.errors import Conflict, NotFound
from server.services.people import clinic as clinics
from server.services.people import erasure as erasures
from server.services.retention import Due, Kind
from server.services.work import Work, system


def run(around: Around, now: datetime) -> int:
    """Delete what has run out; return how many rows and, where records run out, patients."""
    with around.database.read(Extent.ALL) as session:
        ids = [clinic.id for clinic in clinics.of_patients(session)]
    return each_of(ids, "retention", partial(_clinic, around, now))


def report(database: Database, now: datetime, record_years: int) -> Iterator[tuple[str, list[Due]]]:
    """Yield what `run` would find at each clinic, by its short name; nothing is changed."""
    with database.read(Extent.ALL) as session:
        for clinic in clinics.of_patients(session):
            yield clinic.slug, kinds.report(Work(session, now, system(clinic.id)), record_years)


def _clinic(around: Around, now: datetime, clinic_id: UUID) -> int:
    gone = sum(_remove(around, now, clinic_id, kind) for kind in kinds.KINDS)
    with around.database.read() as session:
        over = kinds.records_over(Work(session, now, system(clinic_id)), around.settings.record_years)
    return gone + sum(_erase(around, now, clinic_id, patient_id) for patient_id in over)


def _remove(around: Around, now: datetime, clinic_id: UUID, kind: Kind) -> int:
    gone, more = 0, True
    while more and not around.stopping.is_set():
        with around.database.write() as session:
            some = kinds.remove(Work(session, now, system(clinic_id)), kind)
        gone, more = gone + some, some == kinds.BATCH
    return gone


def _erase(around: Around, now: datetime, clinic_id: UUID, patient_id: UUID) -> bool:
    """Start an erasure, unless a hold or something open speaks against it: then the next day asks again.

    Nor of somebody who has come back since it was found out whose record has run out.
    """
    years = around.settings.record_years
    try:
        with around.database.write() as session:
            work = Work(session, now, system(clinic_id))
            is_back = partial(kinds.has_come_back, work, years, patient_id)
            return erasures.run_out(work, patient_id, is_back) is not None
    except (Conflict, NotFound):  # or somebody has confirmed their erasure by hand meanwhile
        return False
