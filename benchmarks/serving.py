"""A real server for a benchmark, on loopback, with the processor time and memory of its processes.

Ours is at /, the minimal stack (`benchmarks.minimal`) at /minimal, both in the same processes.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from benchmarks import minimal
from server import memory
from server.app import create_app
from server.environment import read_settings
from server.parent import end_with
from server.serve import before, threads

PORT = 8770
JWT_KEY = "bench-key-" + "0" * 32
PATIENCE = 60.0
FACTORY = "benchmarks.serving:create"


def create() -> Callable[..., Any]:
    """Return the WSGI application that is served, made as `server.serve` makes it."""
    memory.begin()
    end_with(os.getppid(), signal.SIGKILL)
    settings = read_settings(os.environ)
    small = minimal.create(settings.sqlalchemy_url, JWT_KEY)
    ours = before(create_app(settings), settings)
    both = DispatcherMiddleware(ours, {"/minimal": small})
    memory.settle()
    return both


@dataclass(frozen=True)
class Served:
    """A running server. ``pids``: its processes and PostgreSQL's."""

    port: int
    roots: tuple[int, ...]

    def cpu(self) -> float:
        """Return the seconds of processor time that its processes have used."""
        return sum(map(_used, self._processes()))

    def resident(self) -> int:
        """Return the bytes of memory that its processes hold."""
        return sum(one.memory_info().rss for one in self._processes())

    def largest(self) -> int:
        """Return the bytes of memory of the largest of them."""
        return max(one.memory_info().rss for one in self._processes())

    def _processes(self) -> Iterator[psutil.Process]:
        for root in self.roots:
            found = psutil.Process(root)
            yield found
            yield from found.children(recursive=True)


def _used(process: psutil.Process) -> float:
    try:
        return sum(process.cpu_times()[:2])
    except psutil.NoSuchProcess:
        return 0.0  # one of PostgreSQL's own that had ended by then


@dataclass(frozen=True)
class How:
    """Which WSGI server, with how many processes, of how many threads each.

    ``at_once``: how many requests a process works on; 0: as many as it finds best.
    """

    name: str = "granian"
    workers: int = 1
    threads: int = threads(0)
    at_once: int = 0

    def command(self, port: int) -> list[str]:
        """Return the command line."""
        workers, threads = str(self.workers), str(self.threads)
        if self.name == "granian":
            rest = ["--interface", "wsgi", "--factory", "--no-ws", "--log-level", "warning"]
            rest += ["--workers", workers, "--blocking-threads", threads, "--port", str(port), FACTORY]
            return [sys.executable, "-m", "granian", *rest]
        if self.name == "gunicorn":
            rest = ["-k", "gthread", "-w", workers, "--threads", threads, "--log-level", "warning"]
            return [sys.executable, "-m", "gunicorn", *rest, "-b", f"127.0.0.1:{port}", f"{FACTORY}()"]
        rest = ["--listen", f"127.0.0.1:{port}", "--threads", threads, "--call", FACTORY]
        return [sys.executable, "-m", "waitress", *rest]


@contextmanager
def serving(url: str, folder: Path, how: How = How(), database: Sequence[int] = ()) -> Iterator[Served]:
    """Serve the database at ``url``; ``database`` are the processes that count beside the server's."""
    environ = {
        **os.environ,
        **memory.SERVER_HEAP,
        "AFTERGLOW_DATA_DIR": str(folder),
        "AFTERGLOW_DATABASE_URL": url,
        "AFTERGLOW_JWT_KEY": JWT_KEY,
        "AFTERGLOW_PASSWORD_COST": "cheap",
        "AFTERGLOW_REQUESTS_AT_ONCE": str(how.at_once),
        "AFTERGLOW_REQUESTS_PER_MINUTE": "0",  # one person asks as much as many here
    }
    minimal.make_table(url)
    check_port_is_free(PORT)
    process = subprocess.Popen(how.command(PORT), env=environ, start_new_session=True)
    try:
        wait_until_it_answers(PORT, "/minimal/hello")
        yield Served(PORT, (process.pid, *database))
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Stop a server that was started in a session of its own, and whatever it started."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def check_port_is_free(port: int) -> None:
    """End the benchmark where another server answers: what it is asked would be measured instead."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise SystemExit(f"port {port} is in use")


def wait_until_it_answers(port: int, path: str) -> float:
    """Return after how many seconds the first answer came."""
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            connection.getresponse().read()
            return time.monotonic() - begun
        except (OSError, HTTPException):
            time.sleep(0.005)
        finally:
            connection.close()
    raise SystemExit("the server did not start")
