"""Our claim beside existing engines, on real deliveries (`pip install -e .[engines]`, and redis-server).

Two worker processes, PostgreSQL with its usual, safe settings, Redis with every write on disk. Run:
`python -m benchmarks.engines`.
"""

import argparse
import logging
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from uuid_utils.compat import uuid7

from benchmarks.databases import fresh
from benchmarks.engines.body import STEPS
from benchmarks.engines.engines import ENGINES, Engine, engine
from server.clinical.vocabulary import WAITING, Role
from server.database import Database
from server.isolation import Extent
from server.models import Delivery
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.work import Work, system
from tests.faults.storm import break_out
from tests.ports import free_port

WORKERS, PATIENCE, CALM, LATE = 2, 60.0, 12, 40


@dataclass
class Scene:
    """One engine on a fresh database, its clinic and its workers."""

    name: str
    url: str
    folder: Path
    redis: str
    clinic: tuple[UUID, Sequence[UUID]]
    engine: Engine
    database: Database
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start the workers, and start again whoever died."""
        self.workers = [one for one in self.workers if one.poll() is None]
        while len(self.workers) < WORKERS:
            command = [sys.executable, "-W", "ignore", "-m", "benchmarks.engines.worker"]
            arguments = [self.name, self.url, str(self.folder), self.redis]
            self.workers.append(
                subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )

    def stop(self) -> None:
        """End every worker."""
        for one in self.workers:
            one.kill()
            one.wait(10)

    def break_out(self, number: int) -> float:
        """Let so many patients raise an alert: one delivery each, handed to the engine.

        Returns when the rows were there, in monotonic seconds.
        """
        before = self._ids()
        break_out(self.database, self.clinic, datetime.now(UTC), number)
        began, ids = time.monotonic(), sorted(self._ids() - before)
        with self.database.write(Extent.ALL) as session:
            self.engine.hand_over(session, ids)
        return began

    def drain(self, most: float = PATIENCE) -> float | None:
        """Return the seconds until every delivery is noted as sent; None where that does not happen."""
        began = time.monotonic()
        while time.monotonic() - began < most:
            if not self._left():
                return time.monotonic() - began
            time.sleep(0.01)
            self.start()
        return None

    def sends(self) -> Counter[str]:
        """Return how often the far end got each message."""
        with suppress(FileNotFoundError):
            return Counter((self.folder / "sent").read_text().split())
        return Counter()

    def unsent(self) -> int:
        """Return how many deliveries the far end never got."""
        return len(self._ids() - self.sends().keys())

    def _ids(self) -> set[str]:
        with self.database.read(Extent.ALL) as session:
            return {str(one) for one in session.scalars(select(Delivery.id))}

    def _left(self) -> int:
        with self.database.read(Extent.ALL) as session:
            query = select(func.count()).select_from(Delivery).where(Delivery.state.in_(WAITING))
            return session.scalar(query) or 0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=600, help="deliveries of the timed run")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="only this one")
    parser.add_argument("--speed", type=int, default=0, help="only the speed, so often, engines in turn")
    options = parser.parse_args()
    names = options.engine or list(ENGINES)
    logging.disable(logging.CRITICAL)
    if options.speed:
        _speeds(names, options.jobs, options.speed)
        return
    died = (f"killed when {step}: back s, lost, twice" for step in STEPS)
    head = ("engine", "jobs/s", "one alert, ms", *died, "job of data taken back", "data without job")
    table = Table(*head, title=f"{options.jobs} deliveries, {WORKERS} worker processes")
    for name in names:
        row = (*_speed(name, options.jobs), *_deaths(name), *_hand_over(name))
        table.add_row(name, *row)
        Console().print(f"{name}: {row}")
    Console(width=200).print(table)


def _speeds(names: Sequence[str], number: int, rounds: int) -> None:
    """Print the medians of several rounds, engines in turn, so that a noisy neighbour hits all alike."""
    found: dict[str, list[list[str]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            found[name].append(list(_speed(name, number)))
    table = Table("engine", "jobs/s", "of all rounds", "one alert, ms (slowest of 20)")
    for name, rows in found.items():
        rates = sorted(int(row[0]) for row in rows if row[0].isdecimal())
        table.add_row(name, str(statistics.median(rates)), str(rates), str([row[1] for row in rows]))
    Console(width=200).print(table)


def _speed(name: str, number: int) -> Iterator[str]:
    with _scene(name, number) as scene:
        scene.start()
        scene.break_out(CALM)
        scene.drain()
        began = scene.break_out(number)
        done = scene.drain()
        yield f"{number / (time.monotonic() - began):.0f}" if done is not None else "not done"
        waits = []
        for _ in range(20):
            time.sleep(0.15)
            began = scene.break_out(1)
            scene.drain()
            waits.append(time.monotonic() - began)
        yield f"{statistics.median(waits) * 1000:.0f} ({max(waits) * 1000:.0f})"


def _deaths(name: str) -> Iterator[str]:
    for step in STEPS:
        with _scene(name, LATE) as scene:
            scene.start()
            scene.break_out(CALM)
            scene.drain()
            (scene.folder / "dies-at").write_text(step)
            scene.break_out(LATE)
            done = scene.drain()
            died = (scene.folder / "died").exists()
            twice = sum(count > 1 for count in scene.sends().values())
            back = "never" if done is None else f"{done:.1f}"
            yield f"{back}, {scene.unsent()}, {twice}" if died else "there is no such moment"


def _hand_over(name: str) -> Iterator[str]:
    """Yield jobs left by data that was taken back, and data without a job after a death at the hand-over."""
    with _scene(name, 2) as scene:
        with suppress(ZeroDivisionError), scene.database.write(Extent.ALL) as session:
            scene.engine.hand_over(session, [str(uuid7())])
            raise ZeroDivisionError
        with scene.database.read(Extent.ALL) as session:
            yield str(scene.engine.waiting(session))
        # The process dies between the commit and what comes after it.
        yield "0" if scene.engine.transactional else "1"


@contextmanager
def _scene(name: str, people: int) -> Iterator[Scene]:
    with _redis() as redis, fresh("postgresql") as (url, folder):
        made = engine(name, url, folder, redis)
        made.set_up()
        database = made.body.database
        clinic = _clinic(database, max(people, CALM))
        scene = Scene(name, url, folder, redis, clinic, made, database)
        try:
            yield scene
        finally:
            scene.stop()
            database.close()


@contextmanager
def _redis() -> Iterator[str]:
    """Give a Redis of our own that writes everything down before it says so."""
    program, port = shutil.which("redis-server"), free_port()
    if program is None:
        raise SystemExit("there is no redis-server (Debian's package `redis-server`)")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]
    with fresh("sqlite") as (_, folder):
        options += ["--appendfsync", "always", "--dir", str(folder)]
        process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(10)


def _clinic(database: Database, number: int) -> tuple[UUID, list[UUID]]:
    """Make a clinic in which each patient has a clinician of their own: nothing is told in one message."""
    passwords = Passwords("cheap")
    with database.write(Extent.ALL) as session:
        work = Work(session, datetime.now(UTC), system(uuid7()))
        clinics.create(work, slug="bench", name="Bench", zone="Europe/Oslo", country="GB")
        made = (
            NewAccount(Role.CLINICIAN, f"D{n}", f"d{n}@bench.example", "benchmark pass")
            for n in range(number)
        )
        return work.clinic_id, [accounts.create(work, new, passwords).id for new in made]


if __name__ == "__main__":
    main()
