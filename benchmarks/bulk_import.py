"""A clinic of virtual patients written as commands write it: simulated, and imported from diaries.

Each entry is checked and its day judged and closed as it would have been on the day it came in.
"""

import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psutil

from benchmarks.databases import KINDS, running
from benchmarks.results import Section, Target, keep
from jobs.crew import Crew, Desk, crew
from jobs.import_many import Line, Task, import_all
from jobs.simulate import Wish, simulate
from server.database import Database
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.people.passwords import Passwords
from server.services.work import Work, system
from server.settings import Settings, master_keys
from server.simulator.clinic import simulate_clinic
from server.simulator.shapes import VirtualPatient

DAYS, PATIENTS = 90, {False: (1, 10, 30), True: (1, 10, 100)}
ASKED = 1_000_000
EACH = ("CPU ms an entry", "s for 1,000,000")
ITEMS = ("mood", "interest", "anxiety", "restlessness", "sleep_quality", "energy", "sleep_hours")
MAP = """date: {column: Day}
time: {column: Hour}
course: {route: intravenous, condition: depression}
missing: [""]
items:
  mood: {column: mood, low: 0, high: 10, direction: high_good}
  interest: {column: interest, low: 0, high: 10, direction: high_good}
  anxiety: {column: anxiety, low: 0, high: 10, direction: high_bad}
  restlessness: {column: restlessness, low: 0, high: 10, direction: high_bad}
  sleep_quality: {column: sleep_quality, low: 0, high: 10, direction: high_good}
  energy: {column: energy, low: 0, high: 10}
  sleep_hours: {column: sleep_hours, low: 0, high: 24}
safety: {column: safety, answers: {"no": no, passing: passing, often: often, plan: plan}}
"""


@dataclass(frozen=True)
class Ground:
    """A database to write into: who writes, the database's own processes, and the time."""

    crew: Crew
    servers: tuple[int, ...]
    now: datetime

    def cpu(self) -> float:
        """Return the seconds of processor that writing has cost, the database's own included."""
        served = (psutil.Process(number) for number in self.servers)
        return _ours() + sum(sum(one.cpu_times()[:4]) + _children(one) for one in served)


Write = Callable[[Ground, int], Iterator[int]]


def main(full: bool = False) -> None:
    """Measure both databases and keep the section."""
    rows, targets = [], []
    for kind in KINDS:
        for name, write in (("simulate", _simulate), ("import", _import)):
            for number in PATIENTS[full]:
                entries, took, cpu = _measure(kind, write, number)
                rate, asked = entries / took, took * ASKED / entries
                figures = (f"{entries:,}", f"{took:.1f}", f"{rate:.0f}", f"{1000 * cpu / entries:.2f}")
                rows.append((kind, name, f"{number}", *figures, f"{asked:.0f}"))
            what = f"{name} {ASKED:,} entries, {kind}"
            targets.append(Target(what, f"{asked:.0f} s, from {entries:,}", "≤ 120 s", asked <= 120))
    heads = (
        "database",
        "what",
        "patients",
        "entries",
        "seconds",
        "entries/s",
        "CPU ms an entry",
        "s for 1,000,000",
    )
    notes = (
        "PostgreSQL: a process for each processor, started anew for each row. SQLite has one writer: one.",
        "CPU is that of all processes that write, PostgreSQL's included. An import closes no days.",
    )
    keep(Section("07_bulk_import", "Import and simulation", heads, rows, targets, notes))


def _measure(
    kind: str, write: Callable[[Ground, int], Iterator[int]], number: int
) -> tuple[int, float, float]:
    with running(kind) as (url, folder, servers):
        settings = Settings(data_dir=folder, database_url=url, password_cost="cheap")
        database = Database(url, master_keys(settings))
        desk, now = Desk(database, Passwords("cheap")), datetime.now(UTC)
        before = Ground(Crew(desk), servers, now).cpu()
        begun = time.perf_counter()
        with crew(desk, settings) as writing:
            entries = sum(write(Ground(writing, servers, now), number))
        took = time.perf_counter() - begun
        cpu = Ground(Crew(desk), servers, now).cpu() - before
        database.close()
    return entries, took, cpu


def _simulate(ground: Ground, number: int) -> Iterator[int]:
    wish = Wish("bench", number, DAYS, 1, (ground.now - timedelta(days=1)).date())
    yield from (one.entries for one in simulate(ground.crew, wish, ground.now))


def _import(ground: Ground, number: int) -> Iterator[int]:
    """Import the same diaries, each with its map, for patients who are registered already."""
    database = ground.crew.desk.database
    virtuals = list(simulate_clinic(number, DAYS, 1, (ground.now - timedelta(days=1)).date()))
    with database.write() as session:
        work = Work(session, ground.now, system(clinics.new_clinic_id()))
        clinics.create(work, slug="bench", name="Bench", zone="Europe/London", country="GB")
        ids = [patients.create(work, {"name": one.name, "zone": one.zone}).id for one in virtuals]
    tasks = (_task(ground.now, *each) for each in zip(ids, virtuals, strict=True))
    for done in import_all(ground.crew, tasks):
        assert done.problem is None, done.problem
        yield done.created


def _task(now: datetime, patient_id: UUID, virtual: VirtualPatient) -> Task:
    lines = [",".join(("Day", "Hour", *ITEMS, "safety"))]
    for said in virtual.diary:
        items = (str(said.items.get(key, "")) for key in ITEMS)
        at = f"{said.hour:02}:{said.minute:02}"
        lines.append(",".join((said.day.isoformat(), at, *items, said.safety or "")))
    sessions = ", ".join(f"{one.day} {one.hour:02}:00" for one in virtual.sessions)
    line = Line(0, patient_id, "", "bench")
    return Task(line, "bench", now, "\n".join(lines).encode(), f"{MAP}sessions: [{sessions}]\n")


def _ours() -> float:
    used = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _children(process: psutil.Process) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in process.children(recursive=True))


if __name__ == "__main__":
    main()
