"""The API's process as it is started (`afterglow serve`): seconds to its first answer, memory."""

import os
import statistics
import subprocess
import sys

from benchmarks.databases import fresh
from benchmarks.load import Pace, Request, drive
from benchmarks.results import Section, Target, keep
from benchmarks.serving import Served, end, wait_until_it_answers
from benchmarks.ward import ward
from server.database import Database
from server.settings import Settings, master_keys

PORT, ROUNDS = 8771, 5
MIB = 2**20


def main(full: bool = False) -> None:
    """Measure and keep the section."""
    found = [_start() for _ in range(ROUNDS)]
    seconds, first, worked, largest = (statistics.median(figure) for figure in zip(*found, strict=True))
    heads = (
        *("seconds to the first answer", "MiB resident then", "MiB after three seconds of reads"),
        "of these the process that answers",
    )
    rows = [(f"{seconds:.2f}", f"{first / MIB:.0f}", f"{worked / MIB:.0f}", f"{largest / MIB:.0f}")]
    targets = [
        Target("the process that answers, memory", f"{largest / MIB:.0f} MiB", "≤ 120 MB", largest <= 120e6),
        Target("all processes of `afterglow serve`", f"{worked / MIB:.0f} MiB", "≤ 120 MB", worked <= 120e6),
        Target("API process, first answer", f"{seconds:.2f} s", "≤ 1.5 s", seconds <= 1.5),
    ]
    notes = ("SQLite; all processes of `afterglow serve`; median of 5 starts.",)
    keep(Section("08_api_process", "The API's process", heads, rows, targets, notes))


def _start() -> tuple[float, int, int, int]:
    with fresh("sqlite") as (url, folder):
        key = "bench-key-" + "0" * 32
        environ = {"AFTERGLOW_DATA_DIR": str(folder), "AFTERGLOW_DATABASE_URL": url, "AFTERGLOW_JWT_KEY": key}
        environ["AFTERGLOW_REQUESTS_PER_MINUTE"] = "0"  # one person asks as much as many here
        database = Database(url, master_keys(Settings(data_dir=folder)))
        people = ward(database, 2, 10).patients
        database.close()
        command = [sys.executable, "-m", "server.cli", "serve", "--child", str(os.getpid())]
        process = subprocess.Popen(
            command, env={**os.environ, **environ, "AFTERGLOW_PORT": str(PORT)}, start_new_session=True
        )
        try:
            seconds = wait_until_it_answers(PORT, "/livez")
            served = Served(PORT, (process.pid,))
            first = served.resident()
            drive(served, [Request("GET", "/v1/entries", who.token) for who in people], Pace(3, cycle=True))
            return seconds, first, served.resident(), served.largest()
        finally:
            end(process)


if __name__ == "__main__":
    main()
