"""`afterglow migrate --check`: has a database this version's migrations, fewer, or others; and its roles."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from server.cli import main
from server.database import Database
from server.migrations import HEAD, WORKS_FROM, downgrade, upgrade
from server.migrations.standing import standing
from tests.conftest import MASTER_KEY
from tests.test_migrations_beside import VERSIONS


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of each kind, gone afterwards."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/fresh.db"
        return
    # Whoever may make databases and roles there, whichever role the other tests work as.
    server = make_url(request.getfixturevalue("postgresql_url")).set(username="postgres")
    name = f"fresh_{secrets.token_hex(4)}"
    ruler = create_engine(server, isolation_level="AUTOCOMMIT")
    with ruler.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.set(database=name).render_as_string(hide_password=False)
    with ruler.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    ruler.dispose()


@pytest.fixture
def fresh(fresh_url: str) -> Iterator[Database]:
    """That database, as migrations get it."""
    database = Database(fresh_url)
    yield database
    database.close()


def migrate(url: str, *words: str, **more: str) -> Result:
    """Run `afterglow migrate`."""
    environ = {"AFTERGLOW_DATABASE_URL": url, "AFTERGLOW_MASTER_KEY": MASTER_KEY, **more}
    return CliRunner(env=environ).invoke(main, ["migrate", *words])


def test_a_database_with_all_of_it_passes_the_check(fresh: Database, fresh_url: str) -> None:
    upgrade(fresh)
    assert migrate(fresh_url, "--check").exit_code == 0


def test_what_is_missing_is_named_and_nothing_is_changed(fresh: Database, fresh_url: str) -> None:
    upgrade(fresh)
    last = standing(fresh)
    downgrade(fresh, VERSIONS[-2])
    for _ in range(2):
        said = migrate(fresh_url, "--check")
        assert said.exit_code == 1
        assert f"It lacks {HEAD}_" in said.stderr
    assert last.is_current
    assert not standing(fresh).is_current


def test_what_a_stop_on_the_way_lacks_is_asked_of_that_stop(fresh: Database, fresh_url: str) -> None:
    """Who migrates in two steps, the version before still at work, asks whether the first one is done."""
    said = migrate(fresh_url, "--check", "--to", WORKS_FROM)
    assert said.exit_code == 1
    assert f"{WORKS_FROM}_" in said.stderr
    assert f"{HEAD}_" not in said.stderr
    assert f"afterglow migrate --to {WORKS_FROM}" in said.stderr
    upgrade(fresh, WORKS_FROM)
    assert migrate(fresh_url, "--check", "--to", WORKS_FROM).exit_code == 0
    assert migrate(fresh_url, "--check").exit_code == 1


def test_an_empty_database_lacks_every_migration(fresh: Database) -> None:
    found = standing(fresh)
    assert (found.found, found.ahead) == (None, False)
    assert found.missing[0].startswith("0001_")
    assert found.missing[-1].startswith(f"{HEAD}_")


def test_a_database_that_a_newer_version_migrated_is_ahead(fresh: Database, fresh_url: str) -> None:
    upgrade(fresh)
    with fresh.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    said = migrate(fresh_url, "--check")
    assert said.exit_code == 1
    assert "The database is ahead" in said.stderr
    assert "9999" in said.stderr


@pytest.mark.parametrize("fresh_url", ["postgresql"], indirect=True)
def test_the_owner_migrates_and_the_service_s_own_role_reads_and_writes_but_changes_no_table(
    fresh: Database, fresh_url: str
) -> None:
    role = f"app_{secrets.token_hex(4)}"
    with fresh.engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
    service = make_url(fresh_url).set(username=role).render_as_string(hide_password=False)
    assert migrate(service, AFTERGLOW_MIGRATION_URL=fresh_url).exit_code == 0
    assert migrate(service, "--check").exit_code == 0
    _reads_and_changes_nothing(make_url(service))
    with fresh.engine.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {role}"))
        connection.execute(text(f"DROP ROLE {role}"))


def _reads_and_changes_nothing(service: URL) -> None:
    engine = create_engine(service)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM clinics")) == 0
    for forbidden in ("CREATE TABLE mine (id int)", "DROP TABLE clinics", "DELETE FROM alembic_version"):
        with engine.connect() as connection, pytest.raises(ProgrammingError):
            connection.execute(text(forbidden))
    engine.dispose()
