"""What a batch saves: 100 entries in one `POST /v1/sync` against 100 single `PUT`s, in one run.

The batch is two offline weeks of several entries a day. The server's resident memory is read before
and after 10,000 entries. Run: `python -m benchmarks.sync`.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table
from uuid_utils.compat import uuid7

from benchmarks.entries import new_entry
from benchmarks.server import Client, served

DAYS, BATCH, APART = 90, 100, timedelta(hours=3)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6, help="batches, each beside 20 single entries")
    parser.add_argument("--long", type=int, default=10_000, help="entries of the memory measurement")
    options = parser.parse_args()
    random, console = Random(3), Console()
    with served(DAYS) as (client, pid):
        single, batch = _rates(client, random, options.rounds)
        before = _resident_kib(pid)
        for _ in range(options.long // BATCH):
            _push(client, random)
        after = _resident_kib(pid)
    table = Table("way", "entries per second", "ratio")
    table.add_row("PUT /v1/entries/{id}", f"{single:.0f}", "1.0")
    table.add_row(f"POST /v1/sync, {BATCH} a call", f"{batch:.0f}", f"{batch / single:.1f}")
    console.print(table)
    console.print(
        f"server memory over {options.long} entries: {before} -> {after} KiB ({after / before:.2f} x)"
    )


def _rates(client: Client, random: Random, rounds: int) -> tuple[float, float]:
    singles, batches = [], []
    _push(client, random)
    for _ in range(rounds):
        singles.append(20 / _seconds(lambda: [_put(client, random) for _ in range(20)]))
        batches.append(BATCH / _seconds(lambda: _push(client, random)))
    return statistics.median(singles), statistics.median(batches)


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _put(client: Client, random: Random) -> None:
    client.send("PUT", f"/v1/entries/{uuid7()}", new_entry(random))


def _push(client: Client, random: Random) -> None:
    now = datetime.now(UTC)
    entries = [{**new_entry(random), "occurred_at": (now - APART * n).isoformat()} for n in range(BATCH)]
    items = [{"id": str(uuid7()), "action": "put", "entry": entry} for entry in entries]
    answer = client.send("POST", "/v1/sync", {"items": items, "limit": 1})
    assert {result["verdict"] for result in answer["results"]} == {"created"}


def _resident_kib(pid: int) -> int:
    """Return the memory of a process and of those it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(_own_kib(int(one)) for one in [pid, *children])


def _own_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


if __name__ == "__main__":
    main()
