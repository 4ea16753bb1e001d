"""The engine and the two kinds of transaction. Only the edges (`api/`, `jobs/`) open one."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from time import monotonic, sleep
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import Session

from server.sealing import Keyring

BUSY_SECONDS = 15.0
# How many statements a connection to PostgreSQL keeps prepared.
STATEMENTS = 500
# How often a writer looks whether another process has done with SQLite.
LOOK_AGAIN_SECONDS = 0.002
# A connection unused for longer is asked whether it still stands.
IDLE_SECONDS = 5.0
# Judging a day reads hundreds of small JSON values: the standard library takes three times as long.
_SHARED: dict[str, Any] = {"hide_parameters": True, "json_deserializer": orjson.loads}


class Database:
    """One database: SQLite (WAL, embedded) or PostgreSQL, told apart by its address.

    ``masters``: the keyring that opens the clinics' keys. It travels in `Session.info`; without it
    nothing sealed can be written or read, everything else can.
    """

    def __init__(self, url: str, masters: Keyring | None = None) -> None:
        self.engine = _engine(url)
        # Shared by every session of this database: the master keys, and clinics' keys opened with them.
        self.masters = masters
        self._info: dict[str, Any] = {"masters": masters, "clinic_keyrings": {}}
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # Each driver has its own way not to begin a transaction.
        self._glancing: dict[str, Any] = (
            {"glance": True} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        )
        # SQLite has one writer and an unfair busy handler: queueing writers here keeps the slow
        # tail short. PostgreSQL needs no such queue.
        self._one_writer: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a writing transaction: committed at the end, rolled back when anything raises."""
        with self._one_writer, self._session(expire_on_commit=False) as session, session.begin():
            session.connection(execution_options={"writes": True})
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a reading transaction: one consistent view, never committed."""
        with self._session() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Open a reading transaction in which many questions see the same state, however long it lasts.

        PostgreSQL would let each question see what was committed before it; SQLite does not.
        """
        with self._session() as session:
            if not self.is_sqlite:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """Open a connection for one question: what one statement sees needs no transaction around it."""
        with self.engine.connect() as connection:
            yield connection.execution_options(**self._glancing)

    def _session(self, **options: Any) -> Session:
        return Session(self.engine, info=self._info, **options)

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    # What people reported stands in parameters and rows: no log shows them, however talkative it is made.
    logging.getLogger("sqlalchemy.engine.Engine").addFilter(_is_no_row)
    if not url.startswith("sqlite"):
        engine = create_engine(url, pool_size=10, max_overflow=10, pool_timeout=10, **_SHARED)
        event.listen(engine, "connect", _prepare_postgresql)
        event.listen(engine, "checkin", _note_idle)
        event.listen(engine, "checkout", partial(_ask_after_idling, engine))
        return engine
    connecting = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(url, connect_args=connecting, **_SHARED)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _is_no_row(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Row ")


def _note_idle(_connection: Any, record: Any) -> None:
    record.info["idle_since"] = monotonic()


def _ask_after_idling(engine: Engine, connection: Any, record: Any, _fairy: Any) -> None:
    """Make sure of a connection that lay idle: the server may have ended it meanwhile.

    Asking before every transaction would cost a third of its round trips.
    """
    if monotonic() - record.info.get("idle_since", monotonic()) < IDLE_SECONDS:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        raise DisconnectionError from None  # the pool opens another one


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    # The same few hundred statements come again and again: the server plans each once a connection.
    connection.prepared_max = STATEMENTS


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions late and by itself; we send BEGIN (below).
    connection.isolation_level = None
    # Without the last one REPLACE would remove rows without asking the triggers that guard the audit log.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that starts as a reader can fail at its first write (SQLITE_BUSY); IMMEDIATE waits instead.
    options = connection.get_execution_options()
    if options.get("glance"):
        return
    if not options.get("writes"):
        connection.exec_driver_sql("BEGIN")
        return
    driver, deadline = connection.connection.cursor(), monotonic() + BUSY_SECONDS
    while not _has_begun(driver, deadline):
        sleep(LOOK_AGAIN_SECONDS)


def _has_begun(cursor: Any, deadline: float) -> bool:
    """Begin to write, or return False where another process does.

    The library's own waiting sleeps longer each time: beside a process that writes without a pause,
    another one would hardly ever get in between.
    """
    try:
        cursor.execute("PRAGMA busy_timeout=0")
        cursor.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY and monotonic() < deadline:
            return False
        raise DBAPIError.instance("BEGIN IMMEDIATE", None, error, sqlite3.Error) from error
    finally:
        cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000:.0f}")
    return True
