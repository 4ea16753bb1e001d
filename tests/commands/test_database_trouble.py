"""What keeps a command from its database is told by what a person can mend, in words of ours."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.commands.database_trouble import told
from server.database import Database
from server.logs import kind_of
from server.settings import Settings
from tests.jobs.test_backup import KEY
from tests.one_shot import Run, runner


@contextmanager
def failing() -> Iterator[list[str | None]]:
    """Give what is told of the error that is raised inside."""
    said: list[str | None] = []
    with pytest.raises(DBAPIError) as raised:
        yield said
    said.append(told(raised.value))


def test_a_full_disk_is_no_database_that_is_away(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/small.db")
    with closing(database), failing() as said, database.write() as session:
        session.execute(text("PRAGMA max_page_count=2"))
        session.execute(text("CREATE TABLE note (words TEXT)"))
        session.execute(text("INSERT INTO note VALUES (hex(randomblob(100000)))"))
    assert said == ["The database's disk is full. Make room there and try again."]


def test_a_log_says_that_a_disk_is_full_and_nothing_of_what_was_to_be_written(
    database: Database, tmp_path: Path
) -> None:
    with pytest.raises(DBAPIError) as raised:
        _fill(database, tmp_path / "small.db")
    kind = "SQLITE_FULL" if database.is_sqlite else "53100"
    assert kind_of(raised.value) == f"OperationalError {kind}"
    assert kind_of(KeyError("secret")) == "KeyError"


def _fill(database: Database, small: Path) -> None:
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("DO $$ BEGIN RAISE 'secret' USING ERRCODE = '53100'; END $$")
    with closing(Database(f"sqlite:///{small}")) as full, full.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=2")
        connection.exec_driver_sql("CREATE TABLE note AS SELECT 'secret' || hex(randomblob(100000)) AS words")


def test_who_waits_for_others_is_told_so(database: Database) -> None:
    if database.is_sqlite:
        wait, hold = "PRAGMA busy_timeout=1", "BEGIN IMMEDIATE"
    else:
        wait, hold = "SET LOCAL lock_timeout = '1ms'", "LOCK TABLE clinics"
    with database.engine.connect() as others, database.engine.connect() as late:
        if database.is_sqlite:
            late.exec_driver_sql(wait)
            late.rollback()
            held = sqlite3.connect(str(database.file), isolation_level=None)
            held.execute(hold)
        else:
            others.exec_driver_sql(hold)
            late.exec_driver_sql(wait)
        with failing() as said:
            late.exec_driver_sql(hold)
        if database.is_sqlite:
            held.close()
    assert said == ["Others hold for too long what this needs in the database. Try again, or stop them."]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # only there somebody is held
def test_what_is_not_theirs_to_mend_is_not_told_as_if_it_was(database: Database) -> None:
    with database.engine.connect() as connection, failing() as said:
        connection.exec_driver_sql("SELECT rolpassword FROM pg_authid")  # as rows of another clinic are
    assert said == [None]


@pytest.mark.parametrize("broken", [b"no database at all, but a text " * 200, None])
def test_a_damaged_file_is_told_as_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broken: bytes | None
) -> None:
    run: Run = runner(settings, monkeypatch)
    monkeypatch.delenv("AFTERGLOW_DATABASE_URL")
    monkeypatch.setenv("AFTERGLOW_DATA_DIR", str(tmp_path))
    file = tmp_path / "afterglow.db"
    if broken is None:
        assert run("migrate").exit_code == 0
        with file.open("r+b") as whole:
            whole.seek(4096)
            whole.write(b"\xff" * 4096 * 40)
    else:
        file.write_bytes(broken)
    said = run("status")
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr == (
        "Error: The database's file is damaged, or is none. Stop everything, move it away with what is named "
        "like it (-wal, -shm), and restore a backup.\n"
    )
    # A restore does not go over it either: what it says has to work.
    (kept := tmp_path / "kept").touch()
    assert run("restore", "--replace", kept).stderr == said.stderr
    for one in tmp_path.glob("afterglow.db*"):
        one.unlink()
    monkeypatch.setenv("AFTERGLOW_BACKUP_KEY", KEY)
    assert run("restore", kept).stderr.startswith(f"Error: {kept} can't be restored.")
