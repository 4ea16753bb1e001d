"""A real server for a benchmark: granian with one worker on loopback, and one kept-alive client."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.ground import PASSWORD, prepare

PORT = 8765


class Client:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
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

    def sign_in(self, email: str = "ana@bench.example") -> None:
        """Sign in as one of the benchmark's people."""
        who = {"clinic": "bench", "email": email, "password": PASSWORD}
        token = self.send("POST", "/v1/sign-ins", who)["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"


@contextmanager
def served(
    days: int, port: int = PORT, between: int | None = None, factory: str = "benchmarks.served:create"
) -> Iterator[tuple[Client, int]]:
    """Serve a clinic whose patient has ``days`` of diary; yield a signed-in client and the server's pid.

    ``factory`` makes the application.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), days, between)
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--port", str(port)]
        command += ["--workers", "1", "--blocking-threads", "2", "--no-ws", "--log-level", "warning"]
        # Counted as in production, and never refused: one client asks more than any device would.
        ours = {"AFTERGLOW_DATA_DIR": folder, "AFTERGLOW_REQUESTS_PER_MINUTE": "1000000"}
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen([*command, factory], env={**os.environ, **ours}, stderr=log)
        try:
            client = wait_for(Client(port))
            client.sign_in()
            yield client, process.pid
        finally:
            process.terminate()
            process.wait(10)


def wait_for(client: Client) -> Client:
    """Return ``client`` once the server answers."""
    for _ in range(300):
        try:
            client.send("GET", "/bare/hello")
        except OSError:
            client.connection.close()
            time.sleep(0.1)
        else:
            return client
    raise SystemExit("the server did not start")
