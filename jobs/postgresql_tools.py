"""PostgreSQL's own programs for a backup, started with the database's address and no password in sight."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

from jobs.problem import Problem
from server.database import Database
from server.isolation import EVERY_CLINIC
from server.settings import Settings

# How a connection's parameters are called in the environment, where no list of processes shows them.
_NAMES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "application_name": "PGAPPNAME",
}
_PLAIN = ("--no-owner", "--no-privileges")
# It sees rows as the service does: by row-level security, for every clinic.
_DUMP = ("--format=custom", "--enable-row-security", *_PLAIN)
_RESTORE = (
    "--single-transaction",
    "--exit-on-error",
    "--clean",
    "--if-exists",
    "--no-owner",
    "--no-privileges",
)
_AT_ONCE = 1 << 20


def dump(database: Database, settings: Settings, view: str, take: Callable[[bytes], Any]) -> None:
    """Hand what `pg_dump` says of the exported ``view`` to ``take``. Raises `Problem` where it fails."""
    with _running(database, settings, "pg_dump", [*_DUMP, f"--snapshot={view}"]) as process:
        assert process.stdout is not None
        while data := process.stdout.read(_AT_ONCE):
            take(data)


def restore(database: Database, settings: Settings, parts: Iterator[bytes]) -> None:
    """Give ``parts`` to `pg_restore`, in one transaction: all of it is there afterwards, or nothing new.

    Raises `Problem` where it fails.
    """
    name = database.engine.url.database or ""
    with _running(database, settings, "pg_restore", [*_RESTORE, f"--dbname={name}"]) as process:
        assert process.stdin is not None
        # Where it has ended by itself, its exit code says so below.
        with suppress(BrokenPipeError):
            process.stdin.writelines(parts)
        with suppress(BrokenPipeError):
            process.stdin.close()


@contextmanager
def _running(
    database: Database, settings: Settings, name: str, words: Sequence[str]
) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which(name, path=settings.postgresql_tools or None)
    if program is None:
        raise Problem(f"{name} was not found. Set AFTERGLOW_POSTGRESQL_TOOLS to the folder it is in.")
    into: dict[str, Any] = {"stdin": subprocess.PIPE} if name == "pg_restore" else {"stdout": subprocess.PIPE}
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen([program, *words], env=_environment(database), stderr=said, **into) as process,
    ):
        with _killed_on_trouble(process):
            yield process
        if process.wait() != 0:
            raise Problem(_why(name, process.returncode, said))


@contextmanager
def _killed_on_trouble(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # Before it could take the end of what it reads for the end of the backup.
        process.kill()
        with suppress(BrokenPipeError):
            _ = process.stdin and process.stdin.close()
        raise


def _why(name: str, code: int, said: IO[bytes]) -> str:
    """Return what can be said of a failure: a message of PostgreSQL may quote rows."""
    said.seek(0)
    if b"version mismatch" in said.read():
        return f"{name} is older than the database's server. Set AFTERGLOW_POSTGRESQL_TOOLS to newer ones."
    return f"{name} failed (exit code {code}). What it said may quote rows and is not shown."


def _environment(database: Database) -> Mapping[str, str]:
    url = database.engine.url
    known = {**url.translate_connect_args(username="user", database="dbname"), **url.query}
    if unknown := sorted(known.keys() - _NAMES.keys()):
        raise Problem(f"The database's address has {unknown[0]}, which pg_dump can't be given.")
    every = f"{os.environ.get('PGOPTIONS', '')} -c {EVERY_CLINIC}=yes"
    return {**os.environ, **{_NAMES[name]: str(value) for name, value in known.items()}, "PGOPTIONS": every}
