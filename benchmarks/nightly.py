"""The nightly pass: of many patients some are due. Two workers; seconds, memory, and what the others cost."""

import multiprocessing
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import psutil
from sqlalchemy import Table, func, insert, select, update
from uuid_utils.compat import uuid7

from benchmarks.databases import KINDS, running
from benchmarks.results import Section, Target, keep
from benchmarks.ward import Ward, ward
from jobs import day_close
from jobs.around import Around
from server import memory
from server.database import Database
from server.isolation import Extent
from server.models import Patient
from server.settings import Settings, master_keys

WORKERS, DAYS, SLICE = 2, 30, 20_000
ASKED = 20_000
# How many are due; how many there are besides, few and ten times as many.
SIZES = {False: (2000, (4000, 40_000)), True: (20_000, (100_000, 1_000_000))}


def main(full: bool = False) -> None:
    """Measure both databases and keep the section."""
    rows, targets, (due, others) = [], [], SIZES[full]
    for kind in KINDS:
        seconds = []
        for more in others:
            took, before, peak = measure(kind, due, more)
            seconds.append(took)
            flat = f"{before / 2**20:.0f} → {peak / 2**20:.0f}"
            rows.append((kind, f"{due + more:,}", f"{due:,}", f"{took:.1f}", f"{due / took:.0f}", flat))
        what = f"nightly pass, {ASKED:,} due, {kind}"
        asked = seconds[1] * ASKED / due
        told = f"{asked:.0f} s, from {due:,} of {due + others[1]:,}"
        targets.append(Target(what, told, "≤ 60 s, of 1,000,000", asked <= 60))
        ratio = seconds[1] / seconds[0]
        targets.append(
            Target(f"the same / a tenth of the patients, {kind}", f"{ratio:.2f} ×", "≤ 1.2 ×", ratio <= 1.2)
        )
    heads = ("database", "patients", "due", "seconds", "closed/s", "MiB a worker, before → most")
    notes = (f"{WORKERS} worker processes; the due have {DAYS} days of diary and one day to close.",)
    keep(Section("05_nightly", "The nightly pass", heads, rows, targets, notes))


def measure(kind: str, due: int, others: int, days: int = DAYS) -> tuple[float, float, float]:
    """Return the seconds of one pass, and the bytes of a worker before it and at the most."""
    with running(kind) as (url, folder, _):
        database = Database(url, master_keys(Settings(data_dir=folder)))
        clinic = ward(database, due, days)
        _add_others(database, clinic, others)
        now = datetime.now(UTC)
        with database.write(Extent.ALL) as session:
            ended = now - timedelta(hours=1)
            ours = [who.patient_id for who in clinic.patients]
            for start in range(0, due, 500):
                named = Patient.id.in_(ours[start : start + 500])
                session.execute(update(Patient).where(named).values(next_close_at=ended))
        found = _pass(url, folder, now)
        with database.read(Extent.ALL) as session:
            left = session.scalar(select(func.count()).where(Patient.next_close_at <= now))
        database.close()
        assert not left, f"{left} patients are still due"
    return found


def _pass(url: str, folder: Path, now: datetime) -> tuple[float, float, float]:
    context = multiprocessing.get_context("spawn")
    ready, go = context.Barrier(WORKERS + 1), context.Event()
    made = [context.Process(target=_work, args=(url, folder, now, ready, go)) for _ in range(WORKERS)]
    for process in made:
        process.start()
    ready.wait(60)
    watched = [psutil.Process(process.pid) for process in made]
    before = peak = max(one.memory_info().rss for one in watched)
    begun = time.monotonic()
    go.set()
    while any(process.is_alive() for process in made):
        peak = max(peak, *_resident(watched))
        time.sleep(0.05)
    took = time.monotonic() - begun
    for process in made:
        process.join(5)
    return took, before, peak


def _resident(watched: list[psutil.Process]) -> Iterator[int]:
    yield 0
    for one in watched:
        try:
            yield one.memory_info().rss
        except psutil.NoSuchProcess:
            continue


def _work(url: str, folder: Path, now: datetime, ready: Any, go: Any) -> None:
    settings = Settings(data_dir=folder)
    database = Database(url, master_keys(settings))
    memory.settle()  # as `afterglow work` does
    ready.wait(60)
    go.wait(60)
    day_close.run(Around(database, settings, {}), now)
    database.close()


def _add_others(database: Database, clinic: Ward, number: int) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for start in range(0, number, SLICE):
        rows = [_patient(clinic.clinic_id, tomorrow) for _ in range(min(SLICE, number - start))]
        with database.write(Extent.ALL) as session:
            session.connection().execute(insert(cast(Table, Patient.__table__)), rows)


def _patient(clinic_id: UUID, at: datetime) -> dict[str, Any]:
    key = {"clinic_id": clinic_id, "id": uuid7(), "name": "Ana", "zone": "Europe/Oslo", "country": "NO"}
    numbers = {"change_counter": 0, "policy_version": 0, "version": 1}
    return {**key, **numbers, "bipolar_risk": [], "next_close_at": at, "created_at": at}


if __name__ == "__main__":
    main()
