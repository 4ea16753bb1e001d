"""How many requests a process should work on at once, by how far away PostgreSQL is.

The way to it is a relay (`benchmarks.relay`) that holds back what the server says. Its own processor time
does not count.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from benchmarks.databases import running
from benchmarks.entry_put import figures, puts
from benchmarks.load import Pace, drive, median
from benchmarks.results import Section, keep
from benchmarks.serving import How, serving
from benchmarks.ward import ward
from server.database import Database
from server.settings import Settings, master_keys

PATIENTS, ROUNDS, PACE = 200, {False: 2, True: 5}, Pace(2)
# Milliseconds there and back: the same machine, another building, another town.
AWAY = (0.0, 1.0, 3.0)
AT_ONCE = {2: "2", 4: "4", 8: "8", 0: "as it finds best"}
SOCKET = ".s.PGSQL.5432"


def main(full: bool = False) -> None:
    """Measure and keep the section."""
    heads = ("away, ms", "at once", "requests/s", "p50 ms", "p99 ms", "CPU ms")
    notes = (
        f"PUT of an entry; two processes, 16 connections, {PATIENTS} patients, {ROUNDS[full]} rounds of "
        f"{PACE.seconds} s. The relay takes a part of the processors, also where it holds nothing back.",
    )
    keep(Section("13_far_database", "PostgreSQL far away", heads, list(_rows(ROUNDS[full])), [], notes))


def _rows(rounds: int) -> Iterator[tuple[str, ...]]:
    with running("postgresql") as (url, folder, pids):
        database = Database(url, master_keys(Settings(data_dir=folder)))
        people = ward(database, PATIENTS, 90).patients
        database.close()
        for away in AWAY:
            with relayed(url, folder, away) as far:
                for at_once, name in AT_ONCE.items():
                    how = How(workers=2, threads=16, at_once=at_once)
                    with serving(far, folder, how, pids) as served:
                        loads = [
                            drive(served, puts("/v1/entries", people, 3000), PACE) for _ in range(rounds + 1)
                        ]
                    yield f"{away:g}", name, *figures(median(loads[1:]))


@contextmanager
def relayed(url: str, folder: Path, milliseconds: float) -> Iterator[str]:
    """Give the address of the same database so far away."""
    far, near = folder / f"far-{milliseconds:g}", make_url(url)
    far.mkdir()
    ends = str(far / SOCKET), str(Path(str(near.query["host"])) / SOCKET)
    command = [sys.executable, "-m", "benchmarks.relay", *ends, str(milliseconds)]
    with subprocess.Popen(command) as relay:
        try:
            until = time.monotonic() + 10
            while not (far / SOCKET).exists() and time.monotonic() < until:
                time.sleep(0.01)
            yield near.update_query_dict({"host": str(far)}).render_as_string(hide_password=False)
        finally:
            relay.terminate()


if __name__ == "__main__":
    main()
