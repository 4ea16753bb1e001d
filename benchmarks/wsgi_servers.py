"""WSGI servers beside each other: Flask's hello, the minimal stack and ours, on PostgreSQL, two processes.

Those that are not installed are left out (`make bench-full` installs them). waitress has one process only.
"""

from collections.abc import Sequence
from importlib.util import find_spec

from benchmarks.databases import running
from benchmarks.entry_put import figures, puts
from benchmarks.load import Load, Pace, Request, drive, median
from benchmarks.read_days import reads
from benchmarks.results import Section, keep
from benchmarks.serving import How, Served, serving
from benchmarks.ward import Person, ward
from server.database import Database
from server.settings import Settings, master_keys

ROUNDS = 5
WAYS = (
    *(How("granian", 2, threads) for threads in (1, 2, 4, 8)),
    *(How("gunicorn", 2, threads) for threads in (4, 8)),
    How("waitress", 1, 4),
)


def main(full: bool = False) -> None:
    """Measure and keep the section."""
    rows = []
    for how in WAYS:
        if find_spec(how.name) is None:
            continue
        for what, rounds in _measure(how, ROUNDS if full else 3).items():
            load = median(rounds)
            rows.append((how.name, f"{how.workers} × {how.threads}", what, *figures(load)))
    heads = ("server", "processes × threads", "what", "requests/s", "p50 ms", "p99 ms", "CPU ms")
    notes = ("PostgreSQL; 100 patients with 90 days; rounds of 2 s over 16 connections.",)
    keep(Section("10_wsgi_servers", "WSGI servers", heads, rows, [], notes))


def _measure(how: How, number: int) -> dict[str, list[Load]]:
    with running("postgresql") as (url, folder, pids):
        database = Database(url, master_keys(Settings(data_dir=folder)))
        people = ward(database, 100, 90).patients
        database.close()
        found: dict[str, list[Load]] = {}
        with serving(url, folder, how, pids) as served:
            for turn in range(number + 1):
                for what, load in _round(served, people).items():
                    found.setdefault(what, []).extend([load] if turn else [])
    return found


def _round(served: Served, people: Sequence[Person]) -> dict[str, Load]:
    hello = [Request("GET", "/minimal/hello")]
    return {
        "hello": drive(served, hello, Pace(2, cycle=True)),
        "minimal PUT": drive(served, puts("/minimal/entries", people, 6000), Pace(2)),
        "our PUT": drive(served, puts("/v1/entries", people, 3000), Pace(2)),
        "our read of 90 days": drive(served, reads(people), Pace(2, cycle=True)),
    }


if __name__ == "__main__":
    main()
