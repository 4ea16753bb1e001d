"""In a database that others use as well, each is nobody's trouble: we leave out what is not ours."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url

from server.cli import main
from tests.conftest import MASTER_KEY
from tests.jobs.test_backup import KEY, tools
from tests.one_shot import Run
from tests.ports import free_port
from tests.postgresql_server import Server, server_of_our_own

# An extension is a superuser's, and so is what it brings; others have a table beside ours and a schema.
OTHERS = (
    "CREATE EXTENSION vector",
    'CREATE TABLE "Re?port" (many int)',
    'CREATE SCHEMA "El*sewhere"',
    'CREATE TABLE "El*sewhere".kept (many int)',
)
CLINIC = "--slug river --name River --zone Europe/Oslo --country NO --admin Max --admin-email m@river.example"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server with a role that owns our tables and may do no more than that."""
    with server_of_our_own(port=free_port()) as made:
        _say(made, "postgres", "CREATE ROLE owner LOGIN CREATEROLE")
        for name in ("journal", "fresh"):
            _say(made, "postgres", f"CREATE DATABASE {name} OWNER owner")
        _say(made, "journal", *OTHERS)
        yield made


@pytest.fixture
def run(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `afterglow` there with two roles."""
    said = {"DATA_DIR": str(tmp_path), "MASTER_KEY": MASTER_KEY, "BACKUP_KEY": KEY}
    said |= {"PASSWORD_COST": "cheap", "POSTGRESQL_TOOLS": tools()}
    for name, value in said.items():
        monkeypatch.setenv(f"AFTERGLOW_{name}", value)
    turn_to(server, "journal", monkeypatch)
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def turn_to(server: Server, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands work on the database ``name``."""
    for setting, role in (("DATABASE_URL", "service"), ("MIGRATION_URL", "owner")):
        url = make_url(server.url).set(database=name, username=role).render_as_string(hide_password=False)
        monkeypatch.setenv(f"AFTERGLOW_{setting}", url)


@pytest.mark.long
def test_what_others_have_in_the_same_database_keeps_no_migration_backup_or_restore_from_its_end(
    server: Server, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kept.backup"
    put_back = ("restore", "--replace", "--without-lists", file)
    for words in (("migrate",), ("clinic-add", *CLINIC.split()), ("backup", file), put_back, ("migrate",)):
        done = run(*words)
        assert done.exit_code == 0, (words[0], done.output, done.exception)
    assert {one for one in _relations(server) if one in ("Re?port", "kept")} == {"Re?port", "kept"}
    turn_to(server, "fresh", monkeypatch)
    assert run(*put_back).exit_code == 0, "the extension is not there"
    assert run("audit", "verify").exit_code == 0


@pytest.mark.long
def test_a_table_of_ours_is_in_every_backup_whoever_owns_it(
    server: Server, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (("migrate",), ("clinic-add", *CLINIC.split())):
        assert run(*words).exit_code == 0
    _say(server, "journal", "ALTER TABLE invitations OWNER TO postgres")  # who migrated as a superuser once
    assert run("backup", tmp_path / "kept").exit_code == 0
    turn_to(server, "fresh", monkeypatch)
    assert run("restore", "--without-lists", tmp_path / "kept").exit_code == 0


@pytest.mark.long
def test_an_address_of_several_servers_is_one_for_backups_too(
    server: Server, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("migrate").exit_code == 0
    hosts = f"host=127.0.0.1:{free_port()}&host=127.0.0.1:{server.port}&target_session_attrs=read-write"
    for setting, role in (("DATABASE_URL", "service"), ("MIGRATION_URL", "owner")):
        url = f"postgresql+psycopg://{role}@/journal?{hosts}&channel_binding=disable&keepalives_idle=9"
        monkeypatch.setenv(f"AFTERGLOW_{setting}", url)
    for words in (("backup", tmp_path / "kept"), ("restore", "--without-lists", tmp_path / "kept")):
        done = run(*words)
        assert done.exit_code == 0, (words[0], done.output)


def _relations(server: Server) -> list[str]:
    return [str(row[0]) for row in _say(server, "journal", "SELECT relname FROM pg_class")]


def _say(server: Server, database: str, *statements: str) -> list[tuple[object, ...]]:
    engine = create_engine(make_url(server.url).set(database=database), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            done = connection.exec_driver_sql(statement)
        found = [tuple(row) for row in done] if done.returns_rows else []
    engine.dispose()
    return found
