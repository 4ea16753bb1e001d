"""A clinic of virtual patients written through the services: entries checked, days judged and closed."""

import time
from datetime import UTC, datetime, timedelta

from benchmarks.databases import KINDS, fresh
from benchmarks.results import Section, Target, keep
from jobs.simulate import Wish, simulate
from server.database import Database
from server.services.people.passwords import Passwords
from server.settings import Settings, master_keys

DAYS, PATIENTS = 90, {False: 24, True: 600}
ASKED = 1_000_000


def main(full: bool = False) -> None:
    """Measure both databases and keep the section."""
    rows, targets = [], []
    for kind in KINDS:
        entries, took, cpu = _measure(kind, PATIENTS[full])
        asked = took * ASKED / entries
        each = f"{1000 * cpu / entries:.2f}"
        rows.append((kind, f"{PATIENTS[full]}", f"{entries:,}", f"{took:.1f}", f"{entries / took:.0f}", each))
        what = f"import or simulate {ASKED:,} entries, {kind}"
        targets.append(Target(what, f"{asked:.0f} s, from {entries:,}", "≤ 120 s", asked <= 120))
    heads = ("database", "patients", "entries", "seconds", "entries/s", "our CPU ms an entry")
    notes = ("One process, day by day as it would have come in; progress is shown by the command.",)
    keep(Section("07_bulk_import", "Import and simulation", heads, rows, targets, notes))


def _measure(kind: str, number: int) -> tuple[int, float, float]:
    with fresh(kind) as (url, folder):
        database = Database(url, master_keys(Settings(data_dir=folder)))
        now = datetime.now(UTC)
        wish = Wish("bench", number, DAYS, 1, (now - timedelta(days=1)).date())
        begun, cpu = time.perf_counter(), time.process_time()
        entries = sum(one.entries for one in simulate(database, Passwords("cheap"), wish, now))
        took, cpu = time.perf_counter() - begun, time.process_time() - cpu
        database.close()
    return entries, took, cpu


if __name__ == "__main__":
    main()
