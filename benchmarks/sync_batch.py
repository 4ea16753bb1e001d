"""A sync batch of 100 entries, the whole path, beside single PUTs: entries a second on two processors.

A batch is two offline weeks of several entries a day, each by another patient with 90 days of diary.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from random import Random

from uuid_utils.compat import uuid7

from benchmarks.databases import KINDS, running
from benchmarks.entry_put import DAYS, HOW, figures, puts
from benchmarks.ground import new_entry
from benchmarks.load import Load, Pace, Request, drive, json_body, median
from benchmarks.results import Section, Target, keep
from benchmarks.serving import serving
from benchmarks.ward import Person, ward
from server.database import Database
from server.settings import Settings, master_keys

BATCH, APART, ROUNDS = 100, timedelta(hours=3), 5
PACE = Pace(3, connections=4)
MOST = 250  # batches a second that requests are made for


def main(full: bool = False) -> None:
    """Measure both databases and keep the section."""
    rows, targets = [], []
    for kind in KINDS:
        single, batch = (median(rounds) for rounds in _measure(kind, 1000 if full else 300))
        speed = batch.rate * BATCH
        rows.append((kind, "PUT", f"{single.rate:.0f}", *figures(single), "1.0"))
        rows.append(
            (kind, f"batch of {BATCH}", f"{speed:.0f}", *figures(batch), f"{speed / single.rate:.1f}")
        )
        targets.append(Target(f"sync batch, entries/s, {kind}", f"{speed:.0f}", "≥ 10,000", speed >= 10_000))
        ratio = speed / single.rate
        targets.append(Target(f"the same / single PUTs, {kind}", f"{ratio:.1f} ×", "≥ 10 ×", ratio >= 10))
    heads = ("database", "way", "entries/s", "requests/s", "p50 ms", "p99 ms", "CPU ms a request", "ratio")
    note = f"Batches over {PACE.connections} connections; {ROUNDS} rounds of {PACE.seconds} s."
    keep(Section("02_sync_batch", "Sync batches", heads, rows, targets, (note,)))


def _measure(kind: str, patients: int) -> tuple[list[Load], list[Load]]:
    singles, batches = [], []
    with running(kind) as (url, folder, pids):
        database = Database(url, master_keys(Settings(data_dir=folder)))
        people = ward(database, patients, DAYS).patients
        database.close()
        with serving(url, folder, HOW[kind], pids) as served:
            for number in range(ROUNDS + 1):
                single = drive(served, puts("/v1/entries", people, 4500), Pace(3))
                batch = drive(served, pushes(people, MOST * PACE.seconds), PACE)
                if number:
                    singles.append(single), batches.append(batch)
    return singles, batches


def pushes(people: Sequence[Person], number: int) -> list[Request]:
    """Return ``number`` batches, one patient after the other. But for their ids they are the same."""
    now, random = datetime.now(UTC), Random(number)
    felt = [now - timedelta(minutes=1) - APART * n for n in range(BATCH)]
    texts = [json_body(new_entry(random, at)).decode() for at in felt]
    return [
        Request("POST", "/v1/sync", who.token, _batch(texts).encode())
        for who in islice(cycle(people), number)
    ]


def _batch(texts: Sequence[str]) -> str:
    items = ",".join(f'{{"id":"{uuid7()}","action":"put","entry":{text}}}' for text in texts)
    return f'{{"items":[{items}],"limit":1}}'


if __name__ == "__main__":
    main()
