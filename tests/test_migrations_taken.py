"""A migration takes all the tables it changes first, and nobody beside it ends in a deadlock."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from time import monotonic, sleep

import pytest
from sqlalchemy import Connection, NullPool, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError

from server.database import Database
from server.migrations import downgrade, locking, upgrade
from server.migrations.locking import NO_ONE_ELSE, NO_WRITER, is_in_use, take
from tests.postgresql_server import Server, server_of_our_own
from tests.test_migrations import bare as bare
from tests.test_migrations_beside import VERSIONS

LOOK_MS = 300
MODES = {"ShareLock": NO_WRITER, "ShareRowExclusiveLock": NO_ONE_ELSE, "AccessExclusiveLock": NO_ONE_ELSE}
HELD = text("""
SELECT c.relname AS name, l.mode AS mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
WHERE l.pid = pg_backend_pid() AND c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
  AND l.mode = ANY(:modes) AND c.relname <> 'alembic_version'
""")


@dataclass
class Watch:
    """What each transaction asked for by LOCK TABLE, and what of tables that stood it holds at its end."""

    stood: frozenset[str] = frozenset()
    asked: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def begin(self, database: Database) -> None:
        """Look at the tables there are."""
        self.stood, self.asked = frozenset(inspect(database.engine).get_table_names()), {}

    def note(self, statement: str) -> None:
        """Note what a statement asks for."""
        if statement.startswith("LOCK TABLE "):
            name, _, mode = statement.removeprefix("LOCK TABLE ").partition(" IN ")
            self.asked[name] = mode.partition(" MODE")[0]

    def look(self, connection: Connection) -> None:
        """Compare, at the end of a transaction. Whoever wants one table waits for it with empty hands."""
        held: dict[str, str] = {}
        for row in connection.execute(HELD, {"modes": list(MODES)}):
            if row.name in self.stood and held.get(row.name) != NO_ONE_ELSE:
                held[row.name] = MODES[row.mode]
        asked = {name: mode for name, mode in self.asked.items() if name in self.stood}
        if held != asked and len({*held, *asked}) > 1:
            self.wrong.append(f"holds {held}, asked for {asked}")
        self.asked = {}


@pytest.fixture
def watch(bare: Database) -> Watch:
    """A database whose transactions are watched."""
    found = Watch()
    event.listen(bare.engine, "before_cursor_execute", lambda *given: found.note(given[2]))
    event.listen(bare.engine, "commit", found.look)
    return found


@pytest.mark.parametrize("bare", ["postgresql"], indirect=True)
def test_every_migration_takes_all_tables_it_changes_before_all_else_there_and_back(
    bare: Database, watch: Watch
) -> None:
    upgrade(bare, VERSIONS[0])
    for version in VERSIONS[1:]:
        watch.begin(bare)
        upgrade(bare, version)
    for version in reversed(VERSIONS[:-1]):
        watch.begin(bare)
        downgrade(bare, version)
    assert watch.wrong == []


@pytest.mark.parametrize("bare", ["postgresql"], indirect=True)
def test_all_of_them_in_one_run_hold_no_more_than_each_alone(bare: Database, watch: Watch) -> None:
    upgrade(bare, VERSIONS[0])
    watch.begin(bare)
    upgrade(bare)
    downgrade(bare, VERSIONS[0])
    assert watch.wrong == []


@pytest.mark.parametrize("bare", ["postgresql"], indirect=True)
def test_a_table_that_is_not_named_is_noticed(bare: Database, watch: Watch) -> None:
    upgrade(bare, VERSIONS[0])
    watch.begin(bare)
    with bare.engine.begin() as connection:
        take(connection, ["accounts"])
        connection.exec_driver_sql("ALTER TABLE clinics ADD COLUMN x int")
    assert watch.wrong != []


@pytest.mark.parametrize("bare", ["postgresql"], indirect=True)
def test_a_revision_that_there_is_not_is_refused(bare: Database) -> None:
    upgrade(bare, VERSIONS[0])
    for move in (upgrade, downgrade):
        with pytest.raises(LookupError, match="no revision 0x"):
            move(bare, "0x")


@pytest.fixture(scope="module")
def impatient() -> Iterator[Server]:
    """A server that looks for a deadlock sooner than usual."""
    with server_of_our_own([f"deadlock_timeout = {LOOK_MS}ms"]) as server:
        yield server


@contextmanager
def connected(server: Server) -> Iterator[Connection]:
    """A connection of its own, whose locks nobody waits for after the end."""
    engine = create_engine(server.url, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def tables(impatient: Server) -> list[str]:
    """Two tables, of which requests touch the second first."""
    with connected(impatient) as connection:
        for name in ("gate", "hall"):
            connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {name} (x int)")
        connection.commit()
    return ["gate", "hall"]


@contextmanager
def requests(server: Server, count: int, holding: float) -> Iterator[list[Future[int]]]:
    """Let so many clients write to the hall and then to the gate, and hold the hall meanwhile, until the end.

    Each gives how often it did; it raises where it was ended.
    """
    over = Event()

    def work() -> int:
        done = 0
        with connected(server) as connection:
            while not over.is_set():
                connection.exec_driver_sql("INSERT INTO hall VALUES (1)")
                sleep(holding)
                connection.exec_driver_sql("INSERT INTO gate VALUES (1)")
                connection.commit()
                done += 1
        return done

    with ThreadPoolExecutor() as pool:
        working = [pool.submit(work) for _ in range(count)]
        sleep(holding / 2)
        try:
            yield working
        finally:
            over.set()


def migrate(server: Server, tables: list[str]) -> None:
    with connected(server) as connection:
        take(connection, tables)
        connection.commit()


@pytest.mark.long
def test_who_holds_what_is_wanted_and_wants_what_is_held_is_never_ended(
    impatient: Server, tables: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = locking.wait_at_most

    def slow(connection: Connection, milliseconds: float) -> None:
        said(connection, milliseconds)
        sleep(LOOK_MS / 1000 * 0.6)

    monkeypatch.setattr(locking, "_knock", lambda *_: None)  # somebody comes in between
    monkeypatch.setattr(locking, "wait_at_most", slow)  # and waits for longer than we do
    with requests(impatient, 1, LOOK_MS / 1000 / 5) as working:
        for _ in range(3):
            locking.patiently(partial(migrate, impatient, tables))
    assert working[0].result(10) > 0


def test_many_who_hold_a_table_in_turn_keep_nobody_out(impatient: Server, tables: list[str]) -> None:
    begun = monotonic()
    with requests(impatient, 4, 0.05) as working:
        for _ in range(3):
            locking.patiently(partial(migrate, impatient, tables))
    assert all(one.result(10) > 0 for one in working)
    assert monotonic() - begun < 10


def test_who_reads_goes_on_beside_an_index_that_is_made(impatient: Server, tables: list[str]) -> None:
    with connected(impatient) as ours, connected(impatient) as theirs:
        take(ours, tables, NO_WRITER)
        assert theirs.execute(text("SELECT count(*) FROM hall")).scalar() is not None
        theirs.rollback()
        theirs.exec_driver_sql("SET lock_timeout = 50")
        with pytest.raises(DBAPIError) as said:
            theirs.exec_driver_sql("INSERT INTO hall VALUES (1)")
        assert is_in_use(said.value)


def test_what_is_not_to_be_had_in_time_is_given_back(
    impatient: Server, tables: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "_knock", lambda *_: None)
    with connected(impatient) as ours, connected(impatient) as theirs:
        theirs.exec_driver_sql("INSERT INTO hall VALUES (1)")
        begun = monotonic()
        with pytest.raises(DBAPIError) as said:
            take(ours, tables)
        assert is_in_use(said.value)
        assert monotonic() - begun < LOOK_MS / 1000, "before anybody looks for a deadlock"
