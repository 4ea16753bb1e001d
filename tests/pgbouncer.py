"""A real PgBouncer in transaction mode in front of a test's own PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from tests.ports import free_port
from tests.postgresql_server import Server

ABSENT = "no PgBouncer here (Debian's package `pgbouncer`)"
PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")

# As docs/postgresql.md has it; fewer connections than a busy test asks for at once.
CONFIG = """
[databases]
afterglow = host={folder} dbname=postgres user=postgres connect_query='{query}'

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
logfile = {place}/log
"""
TIME_OUTS = (
    "SET statement_timeout = 2000; SET lock_timeout = 1000; SET idle_in_transaction_session_timeout = 60000"
)


@contextmanager
def pooled(server: Server, size: int = 3) -> Iterator[str]:
    """Give the address of ``server`` through a pooler that keeps ``size`` connections to it."""
    assert PROGRAM is not None, ABSENT
    place, port = Path(tempfile.mkdtemp(prefix="afterglow-pgbouncer-")), free_port()
    config = place / "pgbouncer.ini"
    parts = {"folder": server.folder, "query": TIME_OUTS, "port": port, "size": size, "place": place}
    config.write_text(CONFIG.format(**parts))
    user = "pgserver" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(place, user)
        shutil.chown(config, user)
    process = subprocess.Popen(
        [PROGRAM, "-q", config], user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield f"postgresql+psycopg://anybody@127.0.0.1:{port}/afterglow"
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(place, ignore_errors=True)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with (
            suppress(psycopg.Error),
            psycopg.connect(f"host=127.0.0.1 port={port} user=anybody dbname=afterglow"),
        ):
            return
        time.sleep(0.05)
    raise AssertionError("PgBouncer did not start")
