"""A migration takes all the tables it changes first, and nobody beside it ends in a deadlock."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from time import sleep

import pytest
from sqlalchemy import Connection, NullPool, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError

from server.database import Database
from server.migrations import downgrade, locking, upgrade
from server.migrations.locking import NO_ONE_ELSE, NO_WRITER, is_in_use, take
from tests.postgresql_server import Server, server_of_our_own
from tests.test_migrations import bare as bare
from tests.test_migrations_beside import VERSIONS

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
        if held != self.asked and len({*held, *self.asked}) > 1:
            self.wrong.append(f"holds {held}, asked for {self.asked}")
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
    """A server that looks for a deadlock as soon as somebody waits, and has two tables."""
    with server_of_our_own(["deadlock_timeout = 1ms"]) as server:
        yield server


@contextmanager
def connected(server: Server) -> Iterator[Connection]:
    """A connection of its own, whose locks nobody waits for after the end."""
    engine = create_engine(server.url, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def tables(impatient: Server) -> tuple[str, str]:
    """Two tables, of which requests touch the second first."""
    with connected(impatient) as connection:
        for name in ("gate", "hall"):
            connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {name} (x int)")
        connection.commit()
    return "gate", "hall"


def test_who_holds_what_is_wanted_and_wants_what_is_held_goes_on_however_slow_we_are(
    impatient: Server, tables: tuple[str, str]
) -> None:
    gate, hall = tables
    has_hall = Event()

    def request() -> str:
        with connected(impatient) as connection:
            connection.exec_driver_sql(f"INSERT INTO {hall} VALUES (1)")
            has_hall.set()
            sleep(0.2)
            connection.exec_driver_sql(f"INSERT INTO {gate} VALUES (1)")
            connection.commit()
            return "stored"

    def migrate() -> None:
        with connected(impatient) as connection:
            take(connection, tables)
            connection.commit()

    with ThreadPoolExecutor() as pool:
        stored = pool.submit(request)
        has_hall.wait(10)
        locking.patiently(migrate)
        assert stored.result(10) == "stored"


def test_who_reads_goes_on_beside_an_index_that_is_made(impatient: Server, tables: tuple[str, str]) -> None:
    with connected(impatient) as ours, connected(impatient) as theirs:
        take(ours, tables, NO_WRITER)
        assert theirs.execute(text("SELECT count(*) FROM hall")).scalar() is not None
        theirs.rollback()
        theirs.exec_driver_sql("SET lock_timeout = 50")
        with pytest.raises(DBAPIError) as said:
            theirs.exec_driver_sql("INSERT INTO hall VALUES (1)")
        assert is_in_use(said.value)


def test_what_is_not_to_be_had_in_time_is_given_back(
    impatient: Server, tables: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "GATHERING", 0.05)
    with connected(impatient) as ours, connected(impatient) as theirs:
        theirs.exec_driver_sql("INSERT INTO hall VALUES (1)")
        with pytest.raises(DBAPIError) as said:
            take(ours, tables)
        assert is_in_use(said.value)
