"""What an entry costs: `PUT /v1/entries/{id}` and reading 90 days, against bare Flask and a bare insert.

One server (granian, one worker), one client with a kept-alive connection, everything in one run, the
requests interleaved so that a noisy neighbour hits all of them alike. The patient already has 90 days
of diary and a session, so every write is judged by the watch. Run: `python -m benchmarks.entries`.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table
from uuid_utils.compat import uuid7

from benchmarks.ground import PASSWORD, prepare

PORT = 8765
DAYS = 90
BARE = ("bare Flask hello", "bare SQLite insert")


class Client:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"Content-Type": "application/json"}

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request; anything but a 2xx ends the benchmark."""
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)

    def sign_in(self) -> None:
        """Sign in as the benchmark's patient."""
        who = {"clinic": "bench", "email": "ana@bench.example", "password": PASSWORD}
        token = self.send("POST", "/v1/sign-ins", who)["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="requests of each kind")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as client:
        client.sign_in()
        times = _measure(_requests(client), rounds)
    _print(times, rounds)


@contextmanager
def _server(folder: Path) -> Iterator[Client]:
    environ = {**os.environ, "AFTERGLOW_DATA_DIR": str(folder)}
    prepare(folder, DAYS)
    # Started in an empty folder's environment and stopped by its own process id.
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--port", str(PORT)]
    command += ["--workers", "1", "--blocking-threads", "2", "--no-ws", "--log-level", "warning"]
    process = subprocess.Popen([*command, "benchmarks.served:create"], env=environ)
    try:
        yield _wait_for(Client(PORT))
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(client: Client) -> Client:
    for _ in range(100):
        try:
            client.send("GET", "/bare/hello")
        except OSError:
            client.connection.close()
            time.sleep(0.1)
        else:
            return client
    raise SystemExit("the server did not start")


def _requests(client: Client) -> dict[str, Callable[[], Any]]:
    random = Random(1)

    def entry() -> dict[str, Any]:
        items = {key: random.randint(1, 4) for key in ("anxiety", "restlessness", "irritability")}
        items |= {key: random.randint(6, 9) for key in ("mood", "interest", "sleep_quality")}
        felt = datetime.now(UTC) - timedelta(seconds=random.randint(1, 60))
        return {"occurred_at": felt.isoformat(), "zone": "Europe/Oslo", "items": items, "safety": "no"}

    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    span = f"first={yesterday - timedelta(days=DAYS)}&last={yesterday}&limit=200"
    return {
        "bare Flask hello": lambda: client.send("GET", "/bare/hello"),
        "bare SQLite insert": lambda: client.send("PUT", f"/bare/insert/{uuid7()}", entry()),
        "GET /v1/me (signed in)": lambda: client.send("GET", "/v1/me"),
        "PUT /v1/entries/{id}": lambda: client.send("PUT", f"/v1/entries/{uuid7()}", entry()),
        "GET /v1/entries, 90 days": lambda: client.send("GET", f"/v1/entries?{span}"),
    }


def _measure(requests: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in requests}
    for number in range(rounds + 20):
        for name, request in requests.items():
            start = time.perf_counter()
            request()
            if number >= 20:  # the first ones warm up
                times[name].append(time.perf_counter() - start)
    return times


def _print(times: dict[str, list[float]], rounds: int) -> None:
    medians = {name: statistics.median(found) for name, found in times.items()}
    table = Table("request", "median ms", "p99 ms", "x hello", "x bare insert", title=f"{rounds} rounds")
    for name, found in times.items():
        p99 = statistics.quantiles(found, n=100)[98]
        ratios = [
            f"{medians[name] / medians[bare]:.1f}" for bare in ("bare Flask hello", "bare SQLite insert")
        ]
        table.add_row(name, f"{medians[name] * 1e3:.2f}", f"{p99 * 1e3:.2f}", *ratios)
    Console().print(table)


if __name__ == "__main__":
    main()
