"""A real CalDAV server on loopback for the tests: Radicale, with its own user and its own folder."""

import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from tests.ports import free_port

USER, PASSWORD = "clinic", "a long password"
COLLECTION = "/clinic/visits/"
_CONFIG = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/collections
[logging]
level = warning
"""
_MAKE = """<?xml version="1.0"?>
<C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:">
<D:set><D:prop><D:displayname>Visits</D:displayname></D:prop></D:set></C:mkcalendar>"""


@contextmanager
def radicale(folder: Path) -> Iterator[int]:
    """Run Radicale with one empty calendar and give its port."""
    port = free_port()
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n", "utf-8")
    config = folder / "config"
    config.write_text(_CONFIG.format(port=port, folder=folder), "utf-8")
    command = [sys.executable, "-m", "radicale", "--config", str(config)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            _wait(server, port, folder / "log")
            _make_calendar(port)
            yield port
        finally:
            server.terminate()
            server.wait(10)


def _wait(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    for _ in range(200):
        assert server.poll() is None, log.read_text("utf-8")
        try:
            ask(port, "GET", "/.web/")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text("utf-8"))


def _make_calendar(port: int) -> None:
    status, _, body = ask(port, "MKCALENDAR", COLLECTION, _MAKE.encode())
    assert status == 201, body


def ask(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Send one request as the clinic's calendar program; return status, headers and body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        pair = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        said = {"Authorization": f"Basic {pair}", **(headers or {})}
        connection.request(method, path, body or None, said)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()
