"""What the response curve costs: a patient of ten years against one of 90 days. It reads windows, not years.

In this process and on SQLite, without the web around it. Run: `python -m benchmarks.response_curve`.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from benchmarks.ground import prepare, treat
from server.database import Database
from server.isolation import Extent
from server.models import Patient
from server.services.watch import response_curve as response_curves
from server.services.work import Work, system
from server.settings import Settings, master_keys

TEN_YEARS = 3650
# Days before today on which sessions are given: one list for each further course.
CASES: dict[str, tuple[int, Sequence[Sequence[int]]]] = {
    "90 days, one session": (90, ()),
    "10 years, one session": (TEN_YEARS, ()),
    "10 years, six sessions twice a year": (
        TEN_YEARS,
        [[start - 3 * n for n in range(6)] for start in range(TEN_YEARS - 20, 60, -182)],
    ),
    "10 years, a session a week": (TEN_YEARS, [list(range(TEN_YEARS - 20, 3, -7))]),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="reads of each patient")
    rounds = parser.parse_args().rounds
    times = {name: _measured(*case, rounds) for name, case in CASES.items()}
    least = next(iter(times.values()))
    table = Table("patient", "median ms", "x 90 days", title=f"{rounds} reads each")
    for name, found in times.items():
        table.add_row(name, f"{found * 1e3:.1f}", f"{found / least:.1f}")
    Console().print(table)


def _measured(days: int, courses: Sequence[Sequence[int]], rounds: int) -> float:
    """Return the median seconds of one read."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), days)
        settings = Settings(data_dir=Path(folder))
        database = Database(settings.sqlalchemy_url, master_keys(settings))
        now = datetime.now(UTC)
        with database.write(Extent.ALL) as session:
            patient = session.scalars(select(Patient)).one()
            for backs in courses:
                treat(Work(session, now, system(patient.clinic_id)), patient.id, _days(now, backs))
        found = [_read(database, now) for _ in range(rounds)]
        database.close()
    return statistics.median(found)


def _days(now: datetime, backs: Sequence[int]) -> list[datetime]:
    return [now - timedelta(days=back) for back in backs]


def _read(database: Database, now: datetime) -> float:
    with database.write(Extent.ALL) as session:
        patient = session.scalars(select(Patient)).one()
        start = time.perf_counter()
        response_curves.read(Work(session, now, system(patient.clinic_id)), patient.id)
        return time.perf_counter() - start


if __name__ == "__main__":
    main()
