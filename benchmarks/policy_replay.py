"""How long a draft policy takes to try on a large clinic: reading, judging, all of it.

Makes a SQLite file with a diary of ``--days`` days for each of ``--patients``, then tries a draft beside the
defaults on all of it, with 1 and with all processors. `--profile` says where one process spends its time.
Run: `python -m benchmarks.policy_replay`.
"""

import argparse
import cProfile
import os
import pstats
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert
from uuid_utils.compat import uuid7

from jobs.replay_pool import Judged, chunks, judge, pool
from server.clinical.policy import DEFAULT_POLICY, policy_from
from server.clinical.vocabulary import Condition, EnteredBy, Phase, Route, SessionStatus, Source
from server.database import Database
from server.isolation import Extent
from server.migrations import upgrade
from server.models import Course, Entry, Patient, TreatmentSession
from server.quality.past import Question
from server.services.journal import past as pasts
from server.services.journal.past import RecordedPast, Tried
from server.services.people import clinic as clinics
from server.services.work import Work, system
from server.settings import Settings, master_keys

LAST = date(2026, 6, 30)
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DRAFT = {"relapse.ewma_limit": 2.5, "relapse.recent_limit": 2.8}
SLICE = 500
Rows = dict[Any, list[Any]]
ITEMS = ("mood", "interest", "anxiety", "restlessness", "sleep_quality", "irritability")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--missing", type=float, default=0.13, help="share of days without an entry")
    parser.add_argument("--read-only", action="store_true", help="judge nothing")
    parser.add_argument("--profile", action="store_true", help="say where the time goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database, clinic_id = clinic_of(Path(folder), options)
        _measure(database, clinic_id, options)
        database.close()


def _measure(database: Database, clinic_id: UUID, options: argparse.Namespace) -> None:
    table = Table("what", "seconds", "ms a patient")
    table.title = f"{options.patients} patients x {options.days} days"
    question = Question({}, DRAFT, LAST - timedelta(days=options.days - 1), LAST)

    def told(what: str, seconds: float) -> None:
        table.add_row(what, f"{seconds:.1f}", f"{1000 * seconds / options.patients:.2f}")

    begun = time.perf_counter()
    read = sum(1 for _ in pasts_of(database, clinic_id, question))
    told("reading alone", time.perf_counter() - begun)
    assert read == options.patients
    for processes in [] if options.read_only else sorted({1, os.cpu_count() or 1}):
        begun = time.perf_counter()
        with pool(processes) as workers:
            judged = list(workers.map(judge, chunks(question, pasts_of(database, clinic_id, question))))
        seconds = time.perf_counter() - begun
        alarms = sum(_alarms(chunk) for chunk in judged)
        told(f"reading and judging, {processes} processes ({alarms} alarms)", seconds)
    Console().print(table)
    if options.profile:
        _profile(database, clinic_id, question)


def _alarms(judged: Judged) -> int:
    both = (told for one in judged.found for pair in one.arms.values() for told in pair)
    return sum(len(told.alarms) for told in both)


def _profile(database: Database, clinic_id: UUID, question: Question) -> None:
    some = [past for past, _ in zip(pasts_of(database, clinic_id, question), range(200), strict=False)]
    profile = cProfile.Profile()
    profile.enable()
    for chunk in chunks(question, some):
        judge(chunk)
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(15)


def pasts_of(database: Database, clinic_id: UUID, question: Question) -> Iterator[RecordedPast]:
    """Yield the past of every patient, as the replay reads it."""
    tried = Tried(question.first, question.last, (DEFAULT_POLICY, policy_from(2, question.draft)))
    after: UUID | None = None
    while True:
        with database.read() as session:
            found = pasts.read(Work(session, NOW, system(clinic_id)), after, SLICE, tried)
        if not found:
            return
        yield from found
        after = UUID(found[-1].patient_id)


def clinic_of(folder: Path, options: argparse.Namespace) -> tuple[Database, UUID]:
    """Make a clinic; ``options``: patients, days, and the share of days that are missing."""
    settings = Settings(data_dir=folder)
    database, clinic_id, random = Database(settings.sqlalchemy_url, master_keys(settings)), uuid7(), Random(1)
    upgrade(database)
    with database.write() as session:
        clinics.create(
            Work(session, NOW, system(clinic_id)), slug="big", name="Big", zone="Europe/Oslo", country="NO"
        )
    for start in range(0, options.patients, SLICE):
        count = min(SLICE, options.patients - start)
        with database.write(Extent.ALL) as session:
            connection = session.connection()
            ids = [uuid7() for _ in range(count)]
            for model, rows in _rows(clinic_id, ids, options, random).items():
                connection.execute(insert(model), rows)
    return database, clinic_id


def _rows(clinic_id: UUID, ids: list[UUID], options: argparse.Namespace, random: Random) -> Rows:
    rows: Rows = {Patient: [], Course: [], TreatmentSession: [], Entry: []}
    for patient_id in ids:
        key = {"clinic_id": clinic_id, "patient_id": patient_id}
        rows[Patient].append(_patient(clinic_id, patient_id))
        course_id = uuid7()
        rows[Course].append(_course(key, course_id))
        first = LAST - timedelta(days=options.days - 1)
        for day in (first, first + timedelta(days=90)):
            rows[TreatmentSession].append(_session(key, course_id, day))
        rows[Entry] += [
            _entry(key, day, items)
            for day, items in _diary(first, options.days, random)
            if random.random() >= options.missing
        ]
    return rows


def _diary(first: date, days: int, random: Random) -> Iterator[tuple[date, dict[str, float]]]:
    """Yield days of a patient who does well and, every second one, relapses at some time."""
    level, onset, noise = random.uniform(1, 4), random.randrange(20, 2 * days), 0.0
    for number in range(days):
        noise = 0.3 * noise + random.gauss(0, 1.1)
        symptom = level + noise + (3 if number >= onset else 0)
        values = [min(10, max(0, round(symptom + random.gauss(0, 0.8)))) for _ in ITEMS]
        good = {"mood", "interest", "sleep_quality"}
        yield (
            first + timedelta(days=number),
            {key: 10 - value if key in good else value for key, value in zip(ITEMS, values, strict=True)},
        )


def _patient(clinic_id: UUID, patient_id: UUID) -> dict[str, Any]:
    return {
        "clinic_id": clinic_id,
        "id": patient_id,
        "name": "Ana",
        "zone": "Europe/Oslo",
        "country": "NO",
        "change_counter": 0,
        "next_close_at": NOW,
        "policy_version": 0,
        "version": 1,
        "created_at": NOW,
    }


def _course(key: dict[str, UUID], course_id: UUID) -> dict[str, Any]:
    plan = {"min_interval_days": 7, "max_interval_days": 120, "started_on": LAST, "version": 1}
    kind = {"route": Route.INTRAVENOUS, "condition": Condition.DEPRESSION, "phase": Phase.MAINTENANCE}
    return {**key, **plan, **kind, "id": course_id, "created_at": NOW}


def _session(key: dict[str, UUID], course_id: UUID, day: date) -> dict[str, Any]:
    at = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    kind = {"route": Route.INTRAVENOUS, "status": SessionStatus.DELIVERED, "version": 1, "created_at": NOW}
    return {**key, **kind, "id": uuid7(), "course_id": course_id, "at": at, "local_day": day}


def _entry(key: dict[str, UUID], day: date, items: dict[str, float]) -> dict[str, Any]:
    return {
        **key,
        "id": uuid7(),
        "version": 1,
        "occurred_at": datetime(day.year, day.month, day.day, 18, tzinfo=UTC),
        "zone": "Europe/Oslo",
        "local_day": day,
        "received_at": NOW,
        "source": Source.IMPORT,
        "entered_by": EnteredBy.PATIENT,
        "day_reliable": True,
        "clock_suspect": False,
        "items": items,
        "side_effects": {},
        "side_effect_onset": {},
        "side_effect_details": [],
        "medication": {},
        "content_hash": "0" * 64,
        "sequence": 1,
    }


if __name__ == "__main__":
    main()
