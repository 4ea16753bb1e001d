"""Connections that the server ended meanwhile, and the migration that every process asks for."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import server.database
import server.migrations
from server.database import Database
from server.isolation import Extent
from server.migrations import HEAD


@pytest.fixture
def cut_off(postgresql_url: str) -> Iterator[Database]:
    """A database whose idle connection was ended by the server."""
    database, other = Database(postgresql_url), Database(postgresql_url)
    with database.read(Extent.NONE) as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    with other.read(Extent.NONE) as session:
        assert session.scalar(text("SELECT pg_terminate_backend(:pid, 2000)"), {"pid": pid})
    yield database
    database.close()
    other.close()


def test_the_newest_migration_is_the_one_the_code_asks_for() -> None:
    assert ScriptDirectory(str(Path(server.migrations.__file__).parent)).get_current_head() == HEAD


def ask(database: Database) -> int | None:
    with database.read(Extent.NONE) as session:
        answer: int | None = session.scalar(text("SELECT 1"))
        return answer


def test_a_connection_that_lay_idle_is_made_sure_of(
    cut_off: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.database, "IDLE_SECONDS", 0.0)
    assert ask(cut_off) == 1


def test_one_just_used_fails_once_and_is_replaced(cut_off: Database) -> None:
    with pytest.raises(OperationalError):
        ask(cut_off)
    assert ask(cut_off) == 1


def test_a_writer_waits_for_another_process_and_in_the_end_says_that_it_could_not(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.database, "BUSY_SECONDS", 0.2)
    one, other = Database(sqlite_url), Database(sqlite_url)
    with one.write(), pytest.raises(OperationalError, match="locked"), other.write():
        raise AssertionError("two wrote at once")
    with other.write(Extent.NONE) as session:
        assert session.scalar(text("SELECT 1")) == 1
    one.close()
    other.close()


def test_a_writer_gets_in_between_beside_another_process_that_writes_without_a_pause(sqlite_url: str) -> None:
    busy, other = Database(sqlite_url), Database(sqlite_url)
    stop = threading.Event()

    def writes() -> None:
        while not stop.is_set():
            with busy.write():
                time.sleep(0.01)

    thread = threading.Thread(target=writes)
    thread.start()
    began = time.monotonic()
    for _ in range(5):
        with other.write():
            pass
    took = time.monotonic() - began
    stop.set()
    thread.join()
    assert took < 5
    busy.close()
    other.close()
