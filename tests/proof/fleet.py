"""The processes of the proof: started, killed without a word, started again; each by its own id."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.request import urlopen

from jobs.timetable import TIMETABLE
from tests.ports import free_port
from tests.source import ROOT

# What workers do; everything else is for those that tick through the whole timetable.
DELIVERS = ("deliver",)
PATIENCE, DRAIN = 40.0, 30.0


@dataclass
class Member:
    """One process and those it started, in a group of their own."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def replace(self) -> None:
        """End it as a power cut would, and start it again."""
        with self.lock:
            self.kill()
            self.start()

    def tend(self) -> None:
        """Start it again where it ended by itself."""
        with self.lock:
            if self.process is not None and self.process.poll() is not None:
                self.start()

    def start(self) -> None:
        """Start it."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AFTERGLOW_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", *self.arguments],
            cwd=ROOT,
            env={**clean, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and those it started."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.signal(signal.SIGKILL)
        self.ended(5)

    def ended(self, seconds: float) -> bool:
        """Return whether it ended by itself within ``seconds``."""
        try:
            return self.process is None or self.process.wait(seconds) is not None
        except subprocess.TimeoutExpired:
            return False


@dataclass
class Fleet:
    """``apis`` and ``workers`` are killed; ``tickers`` are not, so that somebody always ticks."""

    apis: list[Member] = field(default_factory=list)
    workers: list[Member] = field(default_factory=list)
    tickers: list[Member] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    def all(self) -> list[Member]:
        """Return every member."""
        return [*self.apis, *self.workers, *self.tickers]

    def tend(self) -> None:
        """Start again what ended by itself, as a service manager does: without a database nothing starts."""
        for member in self.all():
            member.tend()

    def wait_until_ready(self) -> None:
        """Wait until every API answers."""
        until = time.monotonic() + PATIENCE
        while not all(_answers(port) for port in self.ports):
            assert time.monotonic() < until, "the fleet did not start"
            self.tend()
            time.sleep(0.3)

    def stop(self) -> list[str]:
        """Ask everybody to stop; return the names of those that did not within half a minute (F40)."""
        for member in self.all():
            member.signal(signal.SIGCONT)
            member.signal(signal.SIGTERM)
        until = time.monotonic() + DRAIN
        late = [one.name for one in self.all() if not one.ended(max(until - time.monotonic(), 0.01))]
        for member in self.all():
            member.kill()
        return late


@contextmanager
def fleet_of(shape: tuple[int, int, int], environment: Mapping[str, str]) -> Iterator[Fleet]:
    """Give a running fleet of so many API processes, workers and tickers; all of it is gone afterwards."""
    apis, workers, tickers = shape
    found = Fleet(ports=[free_port() for _ in range(apis)])
    for number, port in enumerate(found.ports):
        here = {**environment, "AFTERGLOW_PORT": str(port)}
        found.apis.append(Member(f"api {number}", ("serve",), here))
    for number in range(workers):
        found.workers.append(Member(f"worker {number}", ("work", *_only(DELIVERS)), environment))
    rest = [job.name for job in TIMETABLE if job.name not in DELIVERS]
    for number in range(tickers):
        found.tickers.append(Member(f"ticker {number}", ("work", *_only(rest)), environment))
    try:
        for member in found.all():
            member.start()
        found.wait_until_ready()
        yield found
    finally:
        for member in found.all():
            member.kill()


def _only(jobs: Sequence[str]) -> Iterator[str]:
    for job in jobs:
        yield from ("--only", job)


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/livez", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
