"""What an entry costs: `PUT /v1/entries/{id}` and reading 90 days, against bare Flask and a bare insert.

One server (granian, one worker), one client with a kept-alive connection, everything in one run, the
requests interleaved so that a noisy neighbour hits all of them alike. The patient already has 90 days
of diary and a session, so every write is judged by the watch. Run: `python -m benchmarks.entries`.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table
from uuid_utils.compat import uuid7

from benchmarks.server import Client, served

DAYS = 90
WARM_UP = 20
BARE = ("bare Flask hello", "bare SQLite insert")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="requests of each kind")
    rounds = parser.parse_args().rounds
    with served(DAYS) as (client, _):
        times = _measure(_requests(client), rounds)
    _print(times, rounds)


def new_entry(random: Random, felt: datetime | None = None) -> dict[str, Any]:
    """Return an entry of a good day, felt at ``felt`` or within the last minute."""
    items = {key: random.randint(1, 4) for key in ("anxiety", "restlessness", "irritability")}
    items |= {key: random.randint(6, 9) for key in ("mood", "interest", "sleep_quality")}
    felt = felt or datetime.now(UTC) - timedelta(seconds=random.randint(1, 60))
    return {"occurred_at": felt.isoformat(), "zone": "Europe/Oslo", "items": items, "safety": "no"}


def _requests(client: Client) -> dict[str, Callable[[], Any]]:
    random = Random(1)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    span = f"first={yesterday - timedelta(days=DAYS)}&last={yesterday}&limit=200"
    return {
        "bare Flask hello": lambda: client.send("GET", "/bare/hello"),
        "bare SQLite insert": lambda: client.send("PUT", f"/bare/insert/{uuid7()}", new_entry(random)),
        "GET /v1/me (signed in)": lambda: client.send("GET", "/v1/me"),
        "PUT /v1/entries/{id}": lambda: client.send("PUT", f"/v1/entries/{uuid7()}", new_entry(random)),
        "GET /v1/entries, 90 days": lambda: client.send("GET", f"/v1/entries?{span}"),
    }


def _measure(requests: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in requests}
    for number in range(rounds + WARM_UP):
        for name, request in requests.items():
            start = time.perf_counter()
            request()
            if number >= WARM_UP:
                times[name].append(time.perf_counter() - start)
    return times


def _print(times: dict[str, list[float]], rounds: int) -> None:
    medians = {name: statistics.median(found) for name, found in times.items()}
    table = Table("request", "median ms", "p99 ms", "x hello", "x bare insert", title=f"{rounds} rounds")
    for name, found in times.items():
        p99 = statistics.quantiles(found, n=100)[98]
        ratios = [f"{medians[name] / medians[bare]:.1f}" for bare in BARE]
        table.add_row(name, f"{medians[name] * 1e3:.2f}", f"{p99 * 1e3:.2f}", *ratios)
    Console().print(table)


if __name__ == "__main__":
    main()
