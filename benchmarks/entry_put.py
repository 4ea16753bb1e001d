"""`PUT /v1/entries/{id}`, the whole path, against the minimal stack: same server, same database, in turns.

A thousand patients with 90 days of diary each log one entry after the other. Run: `make bench`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from random import Random

from uuid_utils.compat import uuid7

from benchmarks.databases import KINDS, running
from benchmarks.ground import new_entry
from benchmarks.load import Load, Pace, Request, drive, json_body, median
from benchmarks.results import Section, Target, keep
from benchmarks.serving import How, Served, serving
from benchmarks.ward import Person, ward
from server.database import Database
from server.settings import Settings, master_keys

DAYS, ROUNDS, SECONDS = 90, 5, 3
# More than either can take in a round: requests are made beforehand, each with an id of its own.
MOST = {"minimal": 5000, "ours": 1500}
PREFIX = {"minimal": "/minimal/entries", "ours": "/v1/entries"}
# SQLite has one writer: a second process would only wait for it.
HOW = {"sqlite": How(workers=1), "postgresql": How(workers=2)}


def main(full: bool = False) -> None:
    """Measure both databases and keep the section."""
    rows, targets = [], []
    for kind in KINDS:
        found = {name: median(rounds) for name, rounds in measure(kind, 1000 if full else 300).items()}
        bare, ours = found["minimal"], found["ours"]
        for name, load in found.items():
            rows.append((kind, name, *figures(load), f"{load.rate / bare.rate:.2f}", f"{load.own_cpu:.2f}"))
        told = f"{ours.rate / bare.rate:.2f}"
        targets.append(
            Target(f"PUT of an entry / minimal stack, {kind}", told, "≥ 0.5", ours.rate >= bare.rate / 2)
        )
        slower = ours.p99 / bare.p99
        targets.append(Target(f"the same, p99, {kind}", f"{slower:.1f} ×", "≤ 3 ×", slower <= 3))
    heads = (
        "database",
        "stack",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU ms",
        "of minimal",
        "load's own CPU ms",
    )
    keep(Section("01_entry_put", "PUT of one entry", heads, rows, targets, _notes(full)))


def _notes(full: bool) -> tuple[str, ...]:
    size = f"{1000 if full else 300} patients with {DAYS} days of diary"
    how = f"{ROUNDS} rounds of {SECONDS} s, 16 connections; SQLite: one process, PostgreSQL: two."
    return (f"{size}, {how}",)


def figures(load: Load) -> tuple[str, str, str, str]:
    """Return a load's figures as texts."""
    return f"{load.rate:.0f}", f"{load.p50:.1f}", f"{load.p99:.1f}", f"{load.cpu:.2f}"


def measure(kind: str, patients: int, days: int = DAYS, between: int | None = None) -> dict[str, list[Load]]:
    """Return the rounds of both stacks, taken in turns after one that does not count."""
    with running(kind) as (url, folder, pids):
        database = Database(url, master_keys(Settings(data_dir=folder)))
        people = ward(database, patients, days, between).patients
        database.close()
        with serving(url, folder, HOW[kind], pids) as served:
            for name in PREFIX:
                _round(served, name, people, 1)
            rounds: dict[str, list[Load]] = {name: [] for name in PREFIX}
            for _ in range(ROUNDS):
                for name, found in rounds.items():
                    found.append(_round(served, name, people, SECONDS))
    return rounds


def _round(served: Served, name: str, people: Sequence[Person], seconds: int) -> Load:
    return drive(served, puts(PREFIX[name], people, MOST[name] * seconds), Pace(seconds))


def puts(prefix: str, people: Sequence[Person], number: int) -> list[Request]:
    """Return PUTs of ``number`` entries, one patient after the other."""
    random, felt = Random(number), datetime.now(UTC) - timedelta(seconds=30)
    return [
        Request("PUT", f"{prefix}/{uuid7()}", who.token, json_body(new_entry(random, felt)))
        for who in islice(cycle(people), number)
    ]


if __name__ == "__main__":
    main()
