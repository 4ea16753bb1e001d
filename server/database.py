"""The engine and the two kinds of transaction. Only the edges (`api/`, `jobs/`) open one."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import Session, SessionTransaction

from server import convoy, isolation, json_text, planning, private
from server.isolation import Whose
from server.keys.keyrings import Keyrings
from server.keys.masters import Masters
from server.keys.sealing import Keyring
from server.postgresql.limits import DEFAULT, Limits
from server.postgresql.rerun import note_commit

BUSY_SECONDS = 15.0
# How many statements a connection to PostgreSQL keeps prepared.
STATEMENTS = 500
# How soon a writer looks whether another process has done with SQLite, and how long it waits at the most
# before it looks again: a line of the audit log takes a fraction of the first.
LOOK_AGAIN_SECONDS, LOOK_SELDOM_SECONDS = 0.0002, 0.002
# A connection unused for longer is asked whether it still stands.
IDLE_SECONDS = 5.0
_GLANCE_AT = f"SELECT set_config('{isolation.CLINIC}', %s, true)"
_JSON = {"json_deserializer": json_text.quickly, "json_serializer": json_text.dumped}
Waiting = AbstractContextManager[None]
_SHARED: dict[str, Any] = {"hide_parameters": True, **_JSON}


class Database:
    """One database: SQLite (WAL, embedded) or PostgreSQL, told apart by its address.

    ``masters``: the keys that open the clinics' keys. They travel in `Session.info`; without them
    nothing sealed can be written or read, everything else can. ``limits``: how it talks to PostgreSQL.
    """

    def __init__(self, url: str, masters: Keyring | Masters | None = None, limits: Limits = DEFAULT) -> None:
        self.engine = _engine(url, limits)
        # Shared by every session of this database: the master keys, and clinics' keys opened with them.
        self.masters = Masters(masters) if isinstance(masters, Keyring) else masters
        self._info: dict[str, Any] = {"masters": self.masters, "clinic_keyrings": Keyrings()}
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # Sessions begin by themselves, with whose rows they are for (`_begin_scoped`).
        self._scoped = self.engine.execution_options(scoped=True)
        # SQLite has one writer and an unfair busy handler: queueing writers here keeps the slow
        # tail short. PostgreSQL needs no such queue.
        self._one_writer: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()

    @contextmanager
    def write(self, whose: Whose | None = None) -> Iterator[Session]:
        """Open a writing transaction: committed at the end, rolled back when anything raises.

        ``whose``: whose rows it is for, where no `Work` says so before the first statement.
        """
        with self._one_writer, self._session(whose, expire_on_commit=False) as session, session.begin():
            if self.is_sqlite:
                session.connection(execution_options={"writes": True})
            yield session

    @contextmanager
    def read(self, whose: Whose | None = None) -> Iterator[Session]:
        """Open a reading transaction: one consistent view, never committed. ``whose`` as in `write`."""
        with self._session(whose) as session:
            yield session

    @contextmanager
    def snapshot(self, whose: Whose | None = None) -> Iterator[Session]:
        """Open a reading transaction in which many questions see the same state, however long it lasts.

        PostgreSQL would let each question see what was committed before it; SQLite does not.
        """
        with self._session(whose) as session:
            isolation.freeze(session)
            yield session

    @contextmanager
    def glance(self, clinic_id: UUID) -> Iterator[Connection]:
        """Open a connection for one question about a clinic: one statement needs no transaction around it."""
        with self.engine.connect() as connection:
            yield connection.execution_options(glance=clinic_id)

    def scrub(self) -> bool:
        """Let no file beside an embedded database keep what was deleted; return whether that is so now.

        Not while somebody reads an older state: then later. PostgreSQL sees to it by itself (VACUUM).
        """
        if not self.is_sqlite:
            return True
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy

    def _session(self, whose: Whose | None, **options: Any) -> Session:
        kind = Session if self.is_sqlite else _ScopedSession
        session = kind(self._scoped, info=self._info, **options)
        isolation.open_for(session, whose)
        return session

    @property
    def file(self) -> Path | None:
        """The file of an embedded database; None of a server, and of one in memory."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    def be_seen(self) -> None:
        """Have an embedded database open from now on: whoever has it open holds a lock that others see."""
        if self.is_sqlite:
            with suppress(DBAPIError):  # somebody keeps all others out: who asks is told so
                self.engine.connect().close()

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _engine(url: str, limits: Limits) -> Engine:
    # What people reported stands in parameters and rows: no log shows them, however talkative it is made.
    logging.getLogger("sqlalchemy.engine.Engine").addFilter(_is_no_row)
    if not url.startswith("sqlite"):
        # Imported late: an embedded database needs no driver, which is a twelfth of a process's memory.
        from server.postgresql import encoding, patience

        engine = create_engine(url, **_SHARED, **limits.engine_options())
        event.listen(engine, "commit", note_commit)
        event.listen(engine, "rollback", convoy.forget)
        event.listen(engine, "rollback_savepoint", convoy.forget)
        event.listen(engine, "do_connect", patience.connecting(limits.answer))
        event.listen(engine, "connect", lambda connection, _record: encoding.check(connection))
        event.listen(engine, "connect", _prepare_postgresql)
        event.listen(engine, "begin", _begin_postgresql)
        event.listen(engine, "do_execute", _execute_postgresql)
        event.listen(engine, "do_executemany", _execute_many_postgresql)
        event.listen(engine, "checkin", _note_idle)
        waiting = partial(patience.waiting_for, seconds=limits.connect)
        event.listen(engine, "checkout", partial(_ask_after_idling, engine, waiting))
        return engine
    connecting = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(url, connect_args=connecting, **_SHARED)
    event.listen(engine, "do_connect", _make_private)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _is_no_row(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Row ")


def _note_idle(_connection: Any, record: Any) -> None:
    record.info["idle_since"] = monotonic()


def _ask_after_idling(
    engine: Engine, waiting: Callable[[Any], Waiting], connection: Any, record: Any, _fairy: Any
) -> None:
    """Make sure of a connection that lay idle: the server may have ended it meanwhile.

    Asking before every transaction would cost a third of its round trips.
    """
    if monotonic() - record.info.get("idle_since", monotonic()) < IDLE_SECONDS:
        return
    try:
        with waiting(connection):
            engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        raise DisconnectionError from None  # the pool opens another one


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    # The same few hundred statements come again and again: the server plans each once a connection.
    connection.prepared_max = STATEMENTS
    # The driver would send a BEGIN of its own; ours goes with the first statement, and says whose rows.
    connection.autocommit = True
    # Production is no superuser, its role is made so (`rows.hush`); who is one says it of their session.
    if connection.info.parameter_status("is_superuser") == "on":
        connection.execute("SET log_parameter_max_length = 0")


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("scoped") and "glance" not in options:
        connection.exec_driver_sql("BEGIN")


class _ScopedSession(Session):
    """A session that says whose rows it is for as it begins."""


@event.listens_for(_ScopedSession, "after_begin")
def _begin_scoped(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if not transaction.nested:
        convoy.begin(connection, [*isolation.beginning(session), *planning.beginning(session)])


event.listen(_ScopedSession, "before_commit", convoy.settle)


def _execute_postgresql(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Send a glance with whom it is for, all else with those who wait for it; True where that is done."""
    options = context.execution_options
    if "glance" not in options:
        if not options.get("scoped"):
            return False
        if hasattr(cursor, "name"):  # a cursor of the server's own can't be made under way
            return _execute_many_postgresql(cursor, statement, parameters, context)
        if statement.startswith("ROLLBACK TO SAVEPOINT"):
            # The driver takes for prepared what a failure kept from being so. It forgets all of that where it
            # is asked to prepare what takes back; of one it has seen before it would not look.
            cursor.execute(statement, parameters, prepare=True)
            return True
        send = partial(cursor.execute, statement, parameters)
        return convoy.go_ahead(context.root_connection, cursor.connection, send)
    # Sent together they are one transaction and one round trip: what is set holds for this question alone.
    try:
        with cursor.connection.pipeline():
            cursor.connection.execute(_GLANCE_AT, (str(options["glance"]),))
            cursor.execute(statement, parameters)
    except Exception:
        _forget_prepared(cursor.connection)
        raise
    return True


def _forget_prepared(driver: Any) -> None:
    """Have nothing taken for prepared that a failure kept from being so: no end of a transaction does."""
    if not driver.closed and driver.prepare_threshold is not None:
        driver.execute("DEALLOCATE ALL", prepare=True)


def _execute_many_postgresql(cursor: Any, _statement: str, _parameters: Any, context: Any) -> bool:
    """Send those who wait; False, for the statement itself is left to the library."""
    if context.execution_options.get("scoped"):
        convoy.go_ahead(context.root_connection, cursor.connection, lambda: None)
    return False


def _make_private(_dialect: Any, _record: Any, words: list[Any], _named: Any) -> None:
    """Make the file of an embedded database before the library does: what lies beside it takes its mode."""
    path = Path(words[0])
    if path.is_absolute():  # as a database in memory is not
        with suppress(OSError):  # the library says better what is wrong
            private.file(path)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions late and by itself; we send BEGIN (below).
    connection.isolation_level = None
    # Without recursive_triggers REPLACE would remove rows without asking those that guard the audit log.
    # What is deleted is overwritten (secure_delete): an erasure must not leave it in free pages.
    guards = ("foreign_keys=ON", "recursive_triggers=ON", "secure_delete=ON")
    for pragma in ("journal_mode=WAL", "synchronous=FULL", *guards):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that starts as a reader can fail at its first write (SQLITE_BUSY); IMMEDIATE waits instead.
    options = connection.get_execution_options()
    if "glance" in options:
        return
    if not options.get("writes"):
        connection.exec_driver_sql("BEGIN")
        return
    driver, deadline = connection.connection.cursor(), monotonic() + BUSY_SECONDS
    pause = LOOK_AGAIN_SECONDS
    while not _has_begun(driver, deadline):
        sleep(pause)
        pause = min(2 * pause, LOOK_SELDOM_SECONDS)


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
