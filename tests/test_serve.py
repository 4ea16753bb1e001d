"""`afterglow serve` is one process, and ends in time whatever still runs in it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import which

import pytest

from jobs.in_use import check_alone
from jobs.problem import Problem
from server.database import Database
from server.migrations import upgrade
from server.settings import PREFIX, Settings, master_keys
from tests.ports import free_port, wait_for
from tests.source import ROOT

# The real command, with less time for running requests than it gives them.
HASTY = "import server.serve as s; s.GRACE = 1; from server.cli import main; main(['serve'])"
HALF = (
    b"POST /v1/sign-ins HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
)


@contextmanager
def serving(folder: Path, *before: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Serve an empty database from ``folder``, its key beside it; give the process and its port.

    ``before``: a program that starts it.
    """
    settings = Settings(data_dir=folder)
    database = Database(settings.sqlalchemy_url, master_keys(settings))
    upgrade(database)
    database.close()
    port = free_port()
    ours = {f"{PREFIX}DATA_DIR": str(folder), f"{PREFIX}PORT": str(port)}
    process = subprocess.Popen([*before, sys.executable, "-c", HASTY], cwd=ROOT, env={**os.environ, **ours})
    try:
        wait_for(port)
        yield process, port
    finally:
        process.kill()
        process.wait(5)


def said(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        line.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return line.recv(1024)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_request_that_holds_on_keeps_nobody_from_stopping(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as (process, port):
        assert b" 200 " in said(port)
        with socket.create_connection(("127.0.0.1", port), 10) as line:
            line.sendall(HALF)
            time.sleep(0.3)
            process.send_signal(number)
            asked = time.monotonic()
            assert process.wait(10) == 0
        assert 0.9 < time.monotonic() - asked < 4


@pytest.mark.long
@pytest.mark.skipif(which("nohup") is None, reason="no nohup")
def test_who_started_it_to_outlive_their_terminal_may_close_that(tmp_path: Path) -> None:
    with serving(tmp_path, "nohup") as (process, port):
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)
        assert b" 200 " in said(port)
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's list of children is read")
def test_what_answers_is_the_process_that_was_started(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, port):
        assert b" 200 " in said(port)
        listed = Path(f"/proc/{process.pid}/task").glob("*/children")
        assert [file.read_text() for file in listed if file.read_text()] == []
        asked = time.monotonic()
        process.terminate()
        assert process.wait(10) == 0
    assert time.monotonic() - asked < 1


@pytest.mark.long
def test_an_api_that_nobody_has_asked_yet_is_seen_by_a_restore(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with closing(Database(settings.sqlalchemy_url)) as database, serving(tmp_path) as (_, port):
        assert b" 200 " in said(port), "it is there, which it says without its database"
        with pytest.raises(Problem, match="Another process works on the database"):
            check_alone(database, settings)
