"""Taking a test's rows away and putting others in their place, on a connection of its own.

It goes past the library, past foreign keys and past what guards the audit log: all of it would be asked
again with every test, and the tests' own connections never notice that anything was done.
"""

import sqlite3
from collections.abc import Sequence
from itertools import count
from typing import Any

import psycopg
from sqlalchemy import URL, make_url

from server.models import Base

# The statements that bring back what was kept of every table.
Kept = Sequence[str]
# What fires where rows are removed from the audit log.
_GUARDS = frozenset({"audit_events_no_delete", "audit_seals_no_delete"})
_NUMBERS = count()


def owner_url(url: str) -> str:
    """Return the address of the role that owns the tables."""
    return make_url(url).set(username="postgres").render_as_string(hide_password=False)


class Keeper:
    """One connection to the migrated database at ``url``; what it keeps lasts as long as it does."""

    def __init__(self, url: str) -> None:
        address = make_url(owner_url(url))
        self._is_sqlite = address.get_backend_name() == "sqlite"
        self._connection: Any = _to_sqlite(address) if self._is_sqlite else _to_postgresql(address)
        self._names = [table.name for table in Base.metadata.sorted_tables]
        self._empty = self._at_once(_deleting(self._names))

    def empty(self) -> None:
        """Remove every row. With the few rows of a test, deleting is faster than truncating."""
        # SQLite begins anew with each statement: most tables have no row.
        self._run(_deleting(self._full()) if self._is_sqlite else self._empty)

    def is_empty(self, table: str) -> bool:
        """Return whether ``table`` has no row."""
        return not self._connection.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone()[0]

    def keep(self) -> Kept:
        """Copy every row aside and return what `bring_back` takes."""
        number, full = next(_NUMBERS), self._full()
        self._run([f"CREATE TEMP TABLE {one}_{number} AS SELECT * FROM {one}" for one in full])
        return self._at_once([f"INSERT INTO {one} SELECT * FROM {one}_{number}" for one in full])

    def _full(self) -> list[str]:
        """Return the tables that have rows."""
        asked = ", ".join(f"EXISTS (SELECT 1 FROM {one})" for one in self._names)
        found = self._connection.execute(f"SELECT {asked}").fetchone()
        return [one for one, is_there in zip(self._names, found, strict=True) if is_there]

    def bring_back(self, kept: Kept) -> None:
        """Put what was kept into the database, which is empty."""
        self._run(kept)

    def close(self) -> None:
        """Forget what was kept."""
        self._connection.close()

    def _at_once(self, statements: list[str]) -> Kept:
        """Return what does the same. PostgreSQL plans what stands in a function once a connection."""
        if self._is_sqlite:
            return statements
        name = f"pg_temp.at_once_{next(_NUMBERS)}"
        body = "; ".join(statements)
        self._run([f"CREATE FUNCTION {name}() RETURNS void LANGUAGE plpgsql AS 'BEGIN {body}; END'"])
        return [f"SELECT {name}()"]

    def _run(self, statements: Sequence[str]) -> None:
        """Run all of them in one transaction, or none."""
        run = self._connection.execute
        if not self._is_sqlite:
            run("; ".join(statements), prepare=False)
            return
        run("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                run(statement)
        except BaseException:
            run("ROLLBACK")
            raise
        run("COMMIT")


def _deleting(names: Sequence[str]) -> list[str]:
    return [f"DELETE FROM {name}" for name in reversed(names)]


def _to_sqlite(address: URL) -> Any:
    assert address.database is not None
    options: dict[str, Any] = {"isolation_level": None, "timeout": 15, "check_same_thread": False}
    connection = sqlite3.connect(address.database, cached_statements=2000, **options)
    # What one test has deleted is in no free page that another one looks through (secure_delete).
    for pragma in ("synchronous=OFF", "temp_store=MEMORY", "foreign_keys=OFF", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.set_authorizer(_looks_away)
    return connection


def _looks_away(action: int, _first: Any, _second: Any, _name: Any, trigger: str | None) -> int:
    """Let a guard do nothing. Were it dropped and made again, every connection would read all tables anew."""
    is_guard = action == sqlite3.SQLITE_SELECT and trigger in _GUARDS
    return sqlite3.SQLITE_IGNORE if is_guard else sqlite3.SQLITE_OK


def _to_postgresql(address: URL) -> Any:
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    # For a replica no trigger fires: the guards of the audit log are triggers, and so are foreign keys.
    return psycopg.connect(plain, autocommit=True, options="-c session_replication_role=replica")
