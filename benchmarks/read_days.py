"""Reading 90 days of one patient: with ten years of history, and with 90 days of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from benchmarks.databases import KINDS, running
from benchmarks.entry_put import DAYS, figures
from benchmarks.load import Load, Pace, Request, drive, median
from benchmarks.results import Section, Target, keep
from benchmarks.serving import How, serving
from benchmarks.ward import Person, ward
from server.database import Database
from server.settings import Settings, master_keys

ROUNDS, PATIENTS = 5, 20
LONG = {False: 900, True: 3650}
PACE = Pace(3, cycle=True)


def main(full: bool = False) -> None:
    """Measure both databases and keep the section."""
    rows, targets, long = [], [], LONG[full]
    for kind in KINDS:
        found = {days: median(rounds) for days, rounds in _measure(kind, long).items()}
        rows += [(kind, str(days), *figures(load)) for days, load in found.items()]
        rate, ratio = found[long].rate, found[long].cpu / found[DAYS].cpu
        what = f"reads of 90 days with {long} days of history"
        targets.append(Target(f"{what}, a second, {kind}", f"{rate:.0f}", "≥ 1,100", rate >= 1100))
        targets.append(
            Target(f"{what} / with {DAYS} days, CPU, {kind}", f"{ratio:.2f}", "≤ 1.1", ratio <= 1.1)
        )
    heads = ("database", "days of history", "reads/s", "p50 ms", "p99 ms", "CPU ms")
    notes = (
        f"Two processes; pages of 200; {PATIENTS} patients of each kind; {ROUNDS} rounds, {PACE.seconds} s.",
    )
    keep(Section("03_read_days", "Reading 90 days", heads, rows, targets, notes))


def _measure(kind: str, long: int) -> dict[int, list[Load]]:
    with running(kind) as (url, folder, pids):
        database = Database(url, master_keys(Settings(data_dir=folder)))
        people = {days: ward(database, PATIENTS, days, DAYS).patients for days in (DAYS, long)}
        database.close()
        rounds: dict[int, list[Load]] = {days: [] for days in people}
        with serving(url, folder, How(workers=2), pids) as served:
            for number in range(ROUNDS + 1):
                for days, found in rounds.items():
                    load = drive(served, reads(people[days]), PACE)
                    found += [load] if number else []
    return rounds


def reads(people: Sequence[Person]) -> list[Request]:
    """Return one read of 90 days of each patient."""
    last = datetime.now(UTC).date()
    path = f"/v1/entries?first={last - timedelta(days=DAYS)}&last={last}&limit=200"
    return [Request("GET", path, who.token) for who in people]


if __name__ == "__main__":
    main()
