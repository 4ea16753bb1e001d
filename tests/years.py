"""Years of a diary, written straight into the tables: as entries over HTTP they would take minutes."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, insert
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import EnteredBy, SafetyAnswer, Source
from server.database import Database
from server.models import Entry, EntryRevision
from server.services import vault
from server.services.work import Work, system
from tests.past import once

A_DAY = 2
ITEMS = {"mood": 6.0, "interest": 5.0, "anxiety": 3.0, "sleep_hours": 7.0, "pain_average": 4.0}
NOTE = "A day as most of them are, with a walk by the river and a bad hour in the evening. " * 2


def live_through(database: Database, clinic_id: UUID, patient_id: UUID, until: datetime, years: int) -> None:
    """Keep a diary several times a day for ``years`` before ``until``."""
    step = ("years", years, patient_id, until)
    once(database, step, lambda: _live_through(database, clinic_id, patient_id, (until, years)))


def _live_through(database: Database, clinic_id: UUID, patient_id: UUID, which: tuple[datetime, int]) -> None:
    until, years = which
    with database.write() as session:
        work = Work(session, until, system(clinic_id))
        rows = list(_rows(work, patient_id, until, years))
        for table, place in ((Entry, 0), (EntryRevision, 1)):
            session.connection().execute(insert(cast(Table, table.__table__)), [row[place] for row in rows])


def _rows(work: Work, patient_id: UUID, until: datetime, years: int) -> Iterator[tuple[Any, Any]]:
    for number in range(years * 365 * A_DAY):
        back, hour = divmod(number, A_DAY)
        day = until.date() - timedelta(days=back + 1)
        at = datetime.combine(day, time(8 + 10 * hour), UTC)
        yield _entry(work, patient_id, at)


def _entry(work: Work, patient_id: UUID, at: datetime) -> tuple[Any, Any]:
    key = (work.clinic_id, patient_id, uuid7())
    said = {"items": ITEMS, "side_effects": {"nausea": 1}, "medication": {"adherence": "yes"}}
    content = {
        **said,
        "occurred_at": at.isoformat(),
        "zone": "Europe/Oslo",
        "side_effect_onset": {},
        "safety": "no",
        "entered_by": "patient",
        "circumstances": [],
        "tags": ["walk"],
        "note": NOTE,
    }
    owner = dict(zip(("clinic_id", "patient_id", "id"), key, strict=True))
    entry = {
        **owner,
        **said,
        "version": 1,
        "occurred_at": at,
        "zone": "Europe/Oslo",
        "local_day": at.date(),
        "recorded_at": at,
        "received_at": at,
        "source": Source.APP,
        "entered_by": EnteredBy.PATIENT,
        "clock_skew_seconds": 0,
        "day_reliable": True,
        "clock_suspect": False,
        "side_effect_onset": {},
        "side_effect_details": [],
        "hours_since_session": None,
        "safety": SafetyAnswer.NO,
        "sealed_tags": vault.seal(work, Entry, key, "tags", ["walk"]),
        "sealed_circumstances": None,
        "sealed_note": vault.seal(work, Entry, key, "note", NOTE),
        "content_hash": "0" * 64,
        "sequence": 1,
        "deleted_at": None,
    }
    revision = {
        "clinic_id": work.clinic_id,
        "patient_id": patient_id,
        "entry_id": key[2],
        "version": 1,
        "sealed_content": vault.seal(work, EntryRevision, (*key, 1), "content", content),
        "received_at": at,
        "account_id": None,
    }
    return entry, revision
