"""Fault 17, 19 and 20: PostgreSQL is stopped like a power cut, hangs, or has no connection left."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.api.edge import EXTENSION, Surroundings
from server.database import Database
from server.isolation import Extent
from server.models import Alert, Delivery, Entry
from server.postgresql.limits import Limits
from server.postgresql.rerun import insist
from server.services.people.passwords import Passwords
from server.settings import Settings, master_keys
from tests.cast import Cast, entry, found_clinic, pushed
from tests.conftest import JWT_KEY, MASTER_KEY, empty
from tests.postgresql_server import Server, migrated, server_of_our_own

FEW = Limits(connections=1, wait=1, connect=2, statement=1, lock=1, idle=2)


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server that may be stopped."""
    with server_of_our_own() as server:
        migrated(server.url)
        yield server


@pytest.fixture
def fragile(own: Server, built_app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The application's database on that server, with short time-outs; at most two connections."""
    settings = Settings(
        database_url=own.url,
        data_dir=tmp_path_factory.mktemp("fragile"),
        password_cost="cheap",
        jwt_key=JWT_KEY,
        master_key=MASTER_KEY,
    )
    database = Database(own.url, master_keys(settings), FEW)
    now = datetime.now(UTC)
    built_app.extensions[EXTENSION] = Surroundings(settings, database, lambda: now, Passwords("cheap"))
    yield database
    empty(database)
    database.close()


@pytest.fixture
def people(fragile: Database, built_app: Flask) -> Cast:
    """Ana and the others."""
    return found_clinic(built_app)


def is_asked_to_come_again(answer: TestResponse) -> bool:
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json"), answer.text
    return int(answer.headers["Retry-After"]) > 0


def test_a_database_cut_off_in_mid_transaction_loses_nothing_that_was_answered_and_doubles_nothing(
    own: Server, fragile: Database, people: Cast, built_app: Flask
) -> None:
    """F17: stopped at once and started again, with a write under way and connections in the pool."""
    now = datetime.now(UTC)
    first, second = f"/entries/{uuid7()}", f"/entries/{uuid7()}"
    body = entry(now, safety="plan")
    assert people.ana.put(first, body).status_code == 201
    with pytest.raises(OperationalError), fragile.engine.begin() as connection:
        _cut_off(own, connection)
    for _ in range(3):
        assert is_asked_to_come_again(people.ana.put(second, body))
    assert built_app.test_client().get("/readyz").status_code == 503
    assert is_asked_to_come_again(built_app.test_client().get("/v1/status"))
    own.start()
    assert people.ana.put(second, body).status_code == 201
    assert people.ana.put(second, body).json["outcome"] == "duplicate"
    with fragile.read(Extent.ALL) as session:
        counts = [session.scalar(select(func.count()).select_from(t)) for t in (Entry, Alert)]
        keys = list(session.scalars(select(Delivery.key)))
        assert set(session.scalars(select(Entry.version))) == {1}
    assert counts == [2, 1]
    assert len(keys) == len(set(keys)) >= 1


@pytest.mark.parametrize("batch", [False, True])
def test_wherever_the_connection_breaks_the_phone_is_asked_to_come_again_and_its_repeat_is_stored_once(
    own: Server, fragile: Database, people: Cast, batch: bool
) -> None:
    """F17: reset at every statement of a writing request, one after the other."""
    body, numbers = entry(datetime.now(UTC), safety="plan"), count(1)
    for number in numbers:
        ids = [str(uuid7()) for _ in range(3 if batch else 1)]
        with _reset_at(number, fragile, own) as was_reset:
            answer = _send(people, ids, body)
        if not was_reset:
            break
        assert is_asked_to_come_again(answer), number
        assert _send(people, ids, body).status_code in (200, 201)
    assert number > 10
    with fragile.engine.begin() as connection:
        found = [connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in ("entries", "alerts")]
    assert found == [number * (3 if batch else 1), 1]


def _send(people: Cast, ids: list[str], body: dict[str, Any]) -> TestResponse:
    if len(ids) == 1:
        return people.ana.put(f"/entries/{ids[0]}", body)
    return people.ana.post("/sync", {"items": [{**pushed("entry", body), "id": one} for one in ids]})


@contextmanager
def _reset_at(number: int, database: Database, own: Server) -> Iterator[list[int]]:
    """Break the connection before statement ``number``; what is given then holds its process."""
    numbers, done = count(1), list[int]()

    def reset(_connection: Any, cursor: Any, *_: Any) -> None:
        if next(numbers) == number:
            done.append(cursor.connection.info.backend_pid)
            address = own.url.replace("+psycopg", "")
            with psycopg.connect(address, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 2000)", done)

    event.listen(database.engine, "before_cursor_execute", reset)
    yield done
    event.remove(database.engine, "before_cursor_execute", reset)


def _cut_off(own: Server, connection: Connection) -> None:
    connection.execute(text("UPDATE entries SET version = version + 1"))
    own.stop()
    connection.execute(text("SELECT 1"))


def test_the_first_request_after_a_quick_restart_is_at_worst_asked_to_come_again(
    own: Server, fragile: Database, people: Cast
) -> None:
    """F17: every connection of the pool is dead, and one failure is enough to notice all."""
    own.stop(), own.start()
    statuses = [people.ana.get("/me").status_code for _ in range(4)]
    assert statuses[0] in (200, 503)
    assert statuses[1:] == [200] * 3


def test_what_was_sent_is_noted_when_the_database_is_back(own: Server, fragile: Database) -> None:
    """F17: the message is with its reader; only the note of it was about to be lost."""

    def note() -> int | None:
        with fragile.engine.begin() as connection:
            return connection.scalar(text("SELECT 1"))

    own.stop()
    back = threading.Timer(0.5, own.start)
    back.start()
    assert insist(note, 20) == 1
    back.join()
    own.stop()
    with pytest.raises(OperationalError):
        insist(note, 0.6)
    own.start()


def test_without_a_free_connection_the_answer_comes_soon(
    fragile: Database, people: Cast, built_app: Flask
) -> None:
    """F20."""
    with fragile.engine.connect(), fragile.engine.connect():
        began = time.monotonic()
        assert is_asked_to_come_again(people.ana.put(f"/entries/{uuid7()}", entry(datetime.now(UTC))))
        assert time.monotonic() - began < 3
        assert built_app.test_client().get("/readyz").status_code == 503
    assert people.ana.get("/me").status_code == 200


def test_who_waits_for_a_lock_for_too_long_is_asked_to_come_again(fragile: Database, people: Cast) -> None:
    """F19: and what stands in the way goes on."""
    with fragile.engine.begin() as connection:
        connection.execute(text("SELECT id FROM patients FOR UPDATE"))
        began = time.monotonic()
        assert is_asked_to_come_again(people.ana.put(f"/entries/{uuid7()}", entry(datetime.now(UTC))))
        assert time.monotonic() - began < 3


def test_a_statement_that_goes_on_and_on_is_ended_and_so_is_a_transaction_that_says_nothing(
    fragile: Database,
) -> None:
    with pytest.raises(Exception, match="statement timeout"), fragile.engine.begin() as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    with pytest.raises(DBAPIError), fragile.engine.begin() as connection:
        _say_nothing_for(2.3, connection)
    with fragile.engine.begin() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def _say_nothing_for(seconds: float, connection: Connection) -> None:
    connection.execute(text("SELECT 1"))
    time.sleep(seconds)
    connection.execute(text("SELECT 1"))


def test_jobs_and_commands_may_take_ten_times_as_long_and_every_limit_is_a_setting() -> None:
    settings = replace(Settings(), statement_seconds=7, idle_transaction_seconds=9, lock_seconds=2)
    assert "statement_timeout=7000" in settings.limits.connect_args()["options"]
    calm = settings.limits.unhurried().connect_args()["options"]
    assert "statement_timeout=70000" in calm
    assert "idle_in_transaction_session_timeout=90000" in calm
    assert "lock_timeout=2000" in calm


def test_behind_a_pooler_nothing_is_kept_on_a_connection() -> None:
    args = replace(Settings(), database_pooler="transaction").limits.connect_args()
    assert args["prepare_threshold"] is None
    assert "options" not in args
