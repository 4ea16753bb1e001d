"""What grows with × 1, 10, 100 patients and history: a PUT, a read of 90 days, the nightly pass."""

from collections.abc import Iterator
from itertools import product

from benchmarks.databases import KINDS, running
from benchmarks.entry_put import HOW, puts
from benchmarks.load import Load, Pace, drive, median
from benchmarks.nightly import measure as nightly
from benchmarks.read_days import reads
from benchmarks.results import Section, keep
from benchmarks.serving import serving
from benchmarks.ward import ward
from server.database import Database
from server.settings import Settings, master_keys

TIMES, ROUNDS = (1, 10, 100), 3
# Patients and days of history that are taken once, ten and a hundred times; patients that are due.
PATIENTS, FEW_DAYS = {False: 20, True: 100}, {False: 10, True: 90}
HISTORY, FEW = {False: 30, True: 90}, 10
DUE = {False: 100, True: 500}


def main(full: bool = False) -> None:
    """Measure both databases; what is there is kept after each row, for the last ones take long."""
    heads = ("database", "size", "growth", "PUT, CPU ms", "read, CPU ms", "nightly pass, ms a due patient")
    notes = (f"Median of {ROUNDS} rounds of 2 s over 4 connections. History has a session every 90 days.",)
    rows: list[tuple[str, ...]] = []
    for row in _rows(full):
        rows.append(row)
        keep(Section("09_growth", "What grows", heads, rows, [], notes))


def _rows(full: bool) -> Iterator[tuple[str, ...]]:
    sizes = [(PATIENTS[full] * times, FEW_DAYS[full], times) for times in TIMES]
    sizes += [(FEW, HISTORY[full] * times, times) for times in TIMES]
    for kind, (number, days, times) in product(KINDS, sizes):
        yield (kind, f"{number:,} patients, {days:,} days", f"× {times}", *_requests(kind, number, days), "")
    for kind, times in product(KINDS, TIMES):
        others = DUE[full] * 10 * times
        took, _, _ = nightly(kind, DUE[full], others, 10)
        each = f"{1000 * took / DUE[full]:.2f}"
        yield kind, f"{others:,} others", f"× {times}", "", "", each


def _requests(kind: str, number: int, days: int) -> tuple[str, str]:
    with running(kind) as (url, folder, pids):
        database = Database(url, master_keys(Settings(data_dir=folder)))
        people = ward(database, number, days, min(90, days)).patients
        database.close()
        put: list[Load] = []
        read: list[Load] = []
        with serving(url, folder, HOW[kind], pids) as served:
            for turn in range(ROUNDS + 1):
                one = drive(served, puts("/v1/entries", people, 3000), Pace(2, 4))
                other = drive(served, reads(people), Pace(2, 4, cycle=True))
                if turn:
                    put.append(one), read.append(other)
    return f"{median(put).cpu:.2f}", f"{median(read).cpu:.2f}"


if __name__ == "__main__":
    main()
