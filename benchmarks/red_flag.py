"""From a patient's tap to the mail server: how long a red flag takes beside 50 entries a second.

The real API (granian, one worker), the real job runner and a mail server on loopback. One entry of 25 is a
red flag ("plan"), each by another patient with a clinician of their own, so that each sends a message.
Run: `python -m benchmarks.red_flag`.
"""

import argparse
import os
import queue
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message as Received
from pathlib import Path
from random import Random
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as Handler
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from uuid_utils.compat import uuid7

from benchmarks.databases import KINDS, fresh
from benchmarks.ground import PASSWORD, new_entry
from benchmarks.server import Client, wait_for
from server.clinical.vocabulary import Role
from server.database import Database
from server.isolation import Extent
from server.models import JobRun
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.work import Work, system
from server.settings import Settings, master_keys

PORT, SMTP_PORT = 8767, 8768
RATE, EVERY, WRITERS, CALM = 50, 25, 8, 20
TARGET, PATIENCE = 2.0, 30.0


class Sink(Handler):
    """A mail server that notes when it took a message for whom."""

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[str, float] = {}

    def handle_message(self, message: Received) -> None:
        """Note the time."""
        self.at.setdefault(str(message["X-RcptTo"]), time.monotonic())


@dataclass(frozen=True)
class Flagged:
    """A red flag: whose clinician hears, when it was sent and when answered, in seconds."""

    number: int
    sent: float
    answered: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="how long entries are written")
    parser.add_argument("--database", choices=KINDS, help="only this kind")
    options = parser.parse_args()
    times = ("p50 s", "p99 s", "max s", "p99 s of the answer")
    table = Table("database", "entries/s", "red flags", "told", *times)
    for kind in [options.database] if options.database else KINDS:
        table.add_row(kind, *_measure(kind, options.seconds))
    Console().print(table)
    Console().print(f"From sending an entry to its message at the mail server; target p99 < {TARGET:g} s.")


def _measure(kind: str, seconds: int) -> Iterator[str]:
    with fresh(kind) as (url, folder), ExitStack() as stack:
        number = seconds * RATE // EVERY
        _people(url, folder, number)
        sink = Sink()
        controller = Controller(sink, hostname="127.0.0.1", port=SMTP_PORT)
        controller.start()
        stack.callback(controller.stop)
        stack.enter_context(_running(url, folder))
        wait_for(Client(PORT))
        _wait_for_worker(url)
        tokens = [
            _token(f"{kind}-{n}") for kind, most in (("red", number), ("calm", CALM)) for n in range(most)
        ]
        flagged, took, answers = _write(tokens, number, seconds * RATE)
        deadline = time.monotonic() + PATIENCE
        while len(sink.at) < number and time.monotonic() < deadline:
            time.sleep(0.1)
    waits = [sink.at[_doctor(one.number)] - one.sent for one in flagged if _doctor(one.number) in sink.at]
    yield from (f"{seconds * RATE / took:.0f}", str(len(flagged)), str(len(waits)))
    figures = (statistics.median(waits), _p99(waits), max(waits), _p99(answers))
    yield from (f"{figure:.2f}" for figure in figures)


def _p99(found: list[float]) -> float:
    return statistics.quantiles(found, n=100)[98]


def _doctor(number: int) -> str:
    return f"doc-{number}@bench.example"


def _people(url: str, folder: Path, number: int) -> None:
    database = Database(url, master_keys(Settings(data_dir=folder)))
    passwords = Passwords("cheap")
    with database.write() as session:
        work = Work(session, datetime.now(UTC), system(uuid7()))
        clinics.create(work, slug="bench", name="Bench", zone="Europe/Oslo", country="GB")
        for n in range(number):
            new = NewAccount(Role.CLINICIAN, f"Doc {n}", _doctor(n), PASSWORD)
            _patient(work, f"red-{n}", passwords, accounts.create(work, new, passwords).id)
        for n in range(CALM):
            _patient(work, f"calm-{n}", passwords, None)
    database.close()


def _patient(work: Work, name: str, passwords: Passwords, clinician: Any) -> None:
    patient = patients.create(work, {"name": name, "zone": "Europe/Oslo", "clinician_id": clinician})
    patient.enrolled_at = work.now
    new = NewAccount(Role.PATIENT, name, f"{name}@bench.example", PASSWORD, patient.id)
    accounts.create(work, new, passwords)


@contextmanager
def _running(url: str, folder: Path) -> Iterator[None]:
    api = ["-m", "granian", "--interface", "wsgi", "--factory", "--port", str(PORT), "--workers", "1"]
    api += ["--blocking-threads", "4", "--workers-kill-timeout", "5", "--no-ws", "--log-level", "warning"]
    api += ["benchmarks.served:create"]
    environ = {
        **os.environ,
        "AFTERGLOW_DATA_DIR": str(folder),
        "AFTERGLOW_DATABASE_URL": url,
        "AFTERGLOW_SMTP_URL": f"smtp://127.0.0.1:{SMTP_PORT}",
        "AFTERGLOW_PASSWORD_COST": "cheap",
    }
    worker = ["-m", "server.cli", "work", "--child", str(os.getpid())]
    pair = [
        subprocess.Popen([sys.executable, *arguments], env=environ, stderr=subprocess.DEVNULL)
        for arguments in (api, worker)
    ]
    try:
        yield
    finally:
        for process in pair:
            process.terminate()
        for process in pair:
            _ended(process)


def _wait_for_worker(url: str) -> None:
    database, deadline = Database(url), time.monotonic() + PATIENCE
    begun = select(JobRun.slot).where(JobRun.job == "deliver")
    while time.monotonic() < deadline:
        with database.read(Extent.NONE) as session:
            if session.scalar(begun.limit(1)) is not None:
                break
        time.sleep(0.1)
    else:
        raise SystemExit("the job runner did not start")
    database.close()


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


def _token(name: str) -> str:
    client = Client(PORT)
    client.sign_in(f"{name}@bench.example")
    client.connection.close()
    return client.headers["Authorization"]


def _write(tokens: list[str], red: int, number: int) -> tuple[list[Flagged], float, list[float]]:
    """Write ``number`` entries at `RATE`; return red flags, seconds in all, and of each answer."""
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    flagged: list[Flagged] = []
    answers: list[float] = []
    for n in range(number):
        todo.put(n)
    began = time.monotonic()

    def writer() -> None:
        client, random = Client(PORT), Random(1)
        while (n := _next(todo)) is not None:
            time.sleep(max(began + n / RATE - time.monotonic(), 0))
            is_red = n % EVERY == 0
            client.headers["Authorization"] = tokens[n // EVERY if is_red else red + n % CALM]
            body = {**new_entry(random), "safety": "plan" if is_red else "no"}
            sent = time.monotonic()
            client.send("PUT", f"/v1/entries/{uuid7()}", body)
            answers.append(time.monotonic() - sent)
            if is_red:
                flagged.append(Flagged(n // EVERY, sent, time.monotonic()))

    threads = [threading.Thread(target=writer, daemon=True) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(number / RATE + PATIENCE)
    return flagged, time.monotonic() - began, answers


def _next(todo: "queue.SimpleQueue[int]") -> int | None:
    try:
        return todo.get_nowait()
    except queue.Empty:
        return None


if __name__ == "__main__":
    main()
