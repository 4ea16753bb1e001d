"""What the line of audit that a patient's own read leaves costs, which makes a writing transaction of it.

One server (granian, one worker, two threads), both ways in one run, request by request, so that a noisy
neighbour hits both alike; then an entry, while three others read. The patient has 90 days of diary.
Run: `python -m benchmarks.own_reads`.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from threading import Event
from typing import Any

from flask import request
from rich.console import Console
from rich.table import Table
from uuid_utils.compat import uuid7

from benchmarks import served as usual
from benchmarks.ground import new_entry
from benchmarks.server import PORT, Client, served
from server.api import entry, timeline, trend
from server.api.edge import reading
from server.api.own_reading import reading_own
from server.services.work import Work

DAYS, WARM_UP, READERS, TURNS = 90, 20, 3, 10
UNSEEN = "X-Leave-No-Line"
READS = {
    "GET /v1/entries, 50": ("GET", "/v1/entries", None),
    "GET /v1/me/timeline, 14 days": ("GET", "/v1/me/timeline", None),
    "GET /v1/me/trend, 90 days": ("GET", "/v1/me/trend", None),
}
Asked = tuple[str, str, Any]


@contextmanager
def read(action: str) -> Iterator[Work]:
    """Open the transaction of an own read; where the request asks for it, one that leaves no line."""
    with reading() if UNSEEN in request.headers else reading_own(action) as work:
        yield work


def create() -> Callable[..., Any]:
    """Return the application that granian serves: reads leave no line where the request asks for it."""
    for module in (entry, timeline, trend):
        vars(module)["reading_own"] = read
    return usual.create()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="requests of each kind")
    rounds = parser.parse_args().rounds
    with served(DAYS, factory="benchmarks.own_reads:create") as (client, _):
        alone = {name: _alone(client, asked, rounds) for name, asked in READS.items()}
        beside = {f"PUT /v1/entries/{{id}} beside {READERS} who read": _beside(client, rounds)}
    _print(alone | beside)


def _alone(client: Client, asked: Asked, rounds: int) -> tuple[float, float]:
    times: dict[bool, list[float]] = {False: [], True: []}
    for number in range(rounds + WARM_UP):
        for recorded, found in times.items():
            spent = _send(client, asked, recorded)
            if number >= WARM_UP:
                found.append(spent)
    return _low(times[False]), _low(times[True])


def _beside(client: Client, rounds: int) -> tuple[float, float]:
    """Return how long an entry takes while others read without a pause, in seconds."""
    times: dict[bool, list[float]] = {False: [], True: []}
    readers, random = [_like(client) for _ in range(READERS)], Random(1)
    with ThreadPoolExecutor(READERS) as pool:
        for recorded in (False, True) * TURNS:
            over = Event()
            reading_on = [pool.submit(_read_until, over, reader, recorded) for reader in readers]
            for _ in range(max(1, rounds // TURNS)):
                body = new_entry(random)
                times[recorded].append(_send(client, ("PUT", f"/v1/entries/{uuid7()}", body), False))
            over.set()
            for one in reading_on:
                one.result()
    return _low(times[False]), _low(times[True])


def _low(times: list[float]) -> float:
    # The lower quartile: on a busy machine the median tells more of the neighbours than of us.
    return statistics.quantiles(times, n=4)[0]


def _read_until(over: Event, client: Client, recorded: bool) -> None:
    while not over.is_set():
        _send(client, READS["GET /v1/me/trend, 90 days"], recorded)


def _like(client: Client) -> Client:
    other = Client(PORT)
    other.headers = dict(client.headers)
    return other


def _send(client: Client, asked: Asked, recorded: bool) -> float:
    client.headers.pop(UNSEEN, None)
    if not recorded:
        client.headers[UNSEEN] = "1"
    start = time.perf_counter()
    client.send(*asked)
    return time.perf_counter() - start


def _print(found: dict[str, tuple[float, float]]) -> None:
    table = Table("request", "no line", "as it is", "more time", title="ms, lower quartile")
    for name, (usually, recorded) in found.items():
        ratio = f"{recorded / usually - 1:+.0%}"
        table.add_row(name, f"{usually * 1e3:.2f}", f"{recorded * 1e3:.2f}", ratio)
    Console().print(table)


if __name__ == "__main__":
    main()
