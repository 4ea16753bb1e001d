"""PostgreSQL's own programs for a backup, started with the database's address and no password in sight."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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
    "sslcrl": "PGSSLCRL",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "channel_binding": "PGCHANNELBINDING",
    "require_auth": "PGREQUIREAUTH",
    "gssencmode": "PGGSSENCMODE",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "application_name": "PGAPPNAME",
}
# The driver's own, and how a connection is kept alive that says nothing for long: theirs says something.
_OURS_ALONE = {"context", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"}
_INTO: Mapping[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
_OUT_OF: Mapping[str, Any] = {"stdout": subprocess.PIPE}
_PLAIN = ("--no-owner", "--no-privileges")
# It sees rows as the service does: by row-level security, for every clinic.
_DUMP = ("--format=custom", "--enable-row-security", *_PLAIN)
_RESTORE = ("--file=-", *_PLAIN)
# Of an error it tells the code alone: the text may quote rows.
_LOAD = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=sqlstate")
_EXTENSION = re.compile(rb"\d+; \d+ \d+ (COMMENT - )?EXTENSION ")
_CODE = re.compile(rb"(?:ERROR|FATAL):\s+([0-9A-Z]{5})\b")
_SAID = {
    "42501": "The role may not do that here: restoring needs the address of the role that owns the tables.",
    "55P03": "Tables are in use. Stop the API and the job runners.",
}
_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Seen:
    """A snapshot by its exported name, and what of the database is not ours, by kind and name."""

    view: str
    others: Sequence[tuple[str, str]] = ()


# Everything there is of ours, whatever version made it: whatever the owner of our tables has where they are.
# All of it is found before any of it goes, as some goes with the rest.
_BEGIN = b"""
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = '10s';
DO $$
DECLARE one text;
BEGIN
  FOREACH one IN ARRAY ARRAY(
    WITH ours AS (
      SELECT relnamespace AS schema, relowner AS owner FROM pg_class
      WHERE relname = 'alembic_version' AND relnamespace = current_schema()::regnamespace
    ), found AS (
      SELECT tableoid, oid, relnamespace AS schema, relowner AS owner, oid::regclass::text AS name,
        CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
          WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END AS kind
      FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
      UNION ALL SELECT tableoid, oid, pronamespace, proowner, oid::regprocedure::text,
        CASE prokind WHEN 'a' THEN 'AGGREGATE' ELSE 'ROUTINE' END FROM pg_proc
      UNION ALL SELECT tableoid, oid, typnamespace, typowner, oid::regtype::text,
        CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END FROM pg_type WHERE typtype IN ('e', 'd', 'r')
    )
    SELECT format('DROP %s IF EXISTS %s CASCADE', kind, name) FROM found JOIN ours USING (schema, owner)
    WHERE NOT EXISTS (SELECT FROM pg_depend d
      WHERE d.classid = found.tableoid AND d.objid = found.oid AND d.deptype = 'e'))
  LOOP EXECUTE one; END LOOP;
END $$;
"""
_COMMIT = b"COMMIT;\n"


def dump(database: Database, settings: Settings, seen: Seen, take: Callable[[bytes], Any]) -> None:
    """Hand what `pg_dump` says of what is ``seen`` to ``take``. Raises `Problem` where it fails."""
    others = [f"--exclude-{kind}={name}" for kind, name in seen.others]
    with _running(
        database, settings, "pg_dump", [*_DUMP, f"--snapshot={seen.view}", *others], _OUT_OF
    ) as process:
        assert process.stdout is not None
        while data := process.stdout.read(_AT_ONCE):
            take(data)


def restore(database: Database, settings: Settings, parts: Callable[[], Iterator[bytes]], first: str) -> None:
    """Put what ``parts`` say, a dump, in the place of all there is, in one transaction: all or nothing.

    They are asked for twice. ``first``: a statement for the tables' schema, before theirs. Raises `Problem`
    where anything fails.
    """
    name = database.engine.url.database or ""
    # Nothing of it stays without the word at the end, whoever is cut off before.
    with (
        _ours(database, settings, parts()) as ours,
        _running(database, settings, "psql", [*_LOAD, f"--dbname={name}"], _INTO) as loading,
        _for_its_own_reason(loading),
    ):
        _say(loading, [_BEGIN, first.encode(), b";\n"])
        through = {**_INTO, "stdout": loading.stdin}
        words = [*_RESTORE, f"--use-list={ours}"]
        with _running(database, settings, "pg_restore", words, through) as reading:
            _say(reading, parts())
            _close(reading)
        _say(loading, [_COMMIT])
        _close(loading)


@contextmanager
def _ours(database: Database, settings: Settings, parts: Iterator[bytes]) -> Iterator[str]:
    """Give the name of a list of what is in a dump but for extensions, which only a superuser makes."""
    with tempfile.TemporaryFile() as listed, tempfile.NamedTemporaryFile() as ours:
        with _running(database, settings, "pg_restore", ["--list"], {**_INTO, "stdout": listed}) as reading:
            _say(reading, parts)
            _close(reading)
        listed.seek(0)
        ours.writelines(line for line in listed if not _EXTENSION.match(line))
        ours.flush()
        yield ours.name


def _say(process: subprocess.Popen[bytes], parts: Iterable[bytes]) -> None:
    assert process.stdin is not None
    # Where it has ended by itself, its exit code says so.
    with suppress(BrokenPipeError):
        process.stdin.writelines(parts)
        process.stdin.flush()


def _close(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.close()


@contextmanager
def _for_its_own_reason(loading: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let ``loading`` say why it ended: whoever feeds it then fails as well, with less to say."""
    try:
        yield
    except Problem:
        _close(loading)
        if loading.wait() == 0:
            raise


@contextmanager
def _running(
    database: Database, settings: Settings, name: str, words: Sequence[str], ends: Mapping[str, Any]
) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which(name, path=settings.postgresql_tools or None)
    if program is None:
        raise Problem(f"{name} was not found. Set AFTERGLOW_POSTGRESQL_TOOLS to the folder it is in.")
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen([program, *words], env=_environment(database), stderr=said, **ends) as process,
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
    text = said.read()
    if b"version mismatch" in text:
        return f"{name} is older than the database's server. Set AFTERGLOW_POSTGRESQL_TOOLS to newer ones."
    if found := _CODE.search(text):
        state = found[1].decode()
        return _SAID.get(state) or f"{name} failed: PostgreSQL's error {state}."
    return f"{name} failed (exit code {code}). What it said may quote rows and is not shown."


def _environment(database: Database) -> Mapping[str, str]:
    engine: Any = database.engine
    # As the driver is told it, of several servers too.
    _, given = engine.dialect.create_connect_args(engine.url)
    known = {name: str(value) for name, value in given.items() if name not in _OURS_ALONE}
    every = f"{os.environ.get('PGOPTIONS', '')} {known.pop('options', '')} -c {EVERY_CLINIC}=yes"
    if unknown := sorted(known.keys() - _NAMES.keys()):
        raise Problem(f"The database's address has {unknown[0]}, which pg_dump can't be given.")
    return {**os.environ, **{_NAMES[name]: value for name, value in known.items()}, "PGOPTIONS": every}
