"""PostgreSQL ends a transaction to let others go on: it is run again, where nothing was left behind."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError

from server.api import errors, rerunning
from server.api.edge import EXTENSION, Surroundings
from server.database import Database
from server.postgresql.rerun import MOST, rerun
from server.settings import Settings
from tests.postgresql_server import server_of_our_own
from tests.test_concurrency import at_once

GIVE_UP = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"


@pytest.fixture(scope="module")
def own_url() -> Iterator[str]:
    """A database that is this file's own."""
    with server_of_our_own(("fsync = off",)) as server:
        yield server.url


@pytest.fixture
def pair(own_url: str) -> Iterator[Database]:
    """A database with two rows that two can fight for."""
    database = Database(own_url)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE fought (id int PRIMARY KEY, wins int NOT NULL)"))
        connection.execute(text("INSERT INTO fought VALUES (1, 0), (2, 0)"))
    yield database
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE fought"))
    database.close()


def win(connection: Connection, row: int) -> None:
    connection.execute(text("UPDATE fought SET wins = wins + 1 WHERE id = :row"), {"row": row})


def wins(database: Database) -> list[int]:
    with database.engine.begin() as connection:
        return list(connection.scalars(text("SELECT wins FROM fought ORDER BY id")))


def crossing(database: Database, met: threading.Barrier, rows: tuple[int, int]) -> Callable[[], int]:
    """Return what takes one row, waits until the other has the other one, and wants both."""
    tries = iter(range(1, 100))

    def cross() -> int:
        number = next(tries)
        with database.engine.begin() as connection:
            win(connection, rows[0])
            if number == 1:
                met.wait(10)
            win(connection, rows[1])
        return number

    return cross


@pytest.mark.long
def test_of_two_in_a_deadlock_both_get_through_and_each_once(pair: Database) -> None:
    met = threading.Barrier(2)
    both = [crossing(pair, met, rows) for rows in ((1, 2), (2, 1))]
    tries = at_once([lambda one=one: rerun(one) for one in both])
    assert sorted(tries) == [1, 2]
    assert wins(pair) == [2, 2]


def test_a_reader_that_saw_an_older_state_serialises_at_its_second_run(pair: Database) -> None:
    tries = iter(range(1, 100))

    def add() -> int:
        number = next(tries)
        with pair.engine.begin() as connection:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            connection.execute(text("SELECT 1"))
            if number == 1:
                with pair.engine.begin() as other:
                    win(other, 1)
            win(connection, 1)
        return number

    # The other transaction of the first run was committed, so this is for who may do it all the same.
    with pytest.raises(OperationalError, match="could not serialize"):
        rerun(add)
    assert rerun(add) == 2
    assert wins(pair) == [2, 0]


def always(
    database: Database, tries: list[int], first: Callable[[], Any] = lambda: None
) -> Callable[[], None]:
    def give_up() -> None:
        tries.append(1)
        first()
        with database.engine.begin() as connection:
            connection.execute(text(GIVE_UP))

    return give_up


def test_five_reruns_are_enough(pair: Database) -> None:
    tries: list[int] = []
    with pytest.raises(DBAPIError):
        rerun(always(pair, tries))
    assert len(tries) == 1 + MOST


def test_what_was_committed_in_part_is_not_done_twice(pair: Database) -> None:
    def part() -> None:
        with pair.engine.begin() as connection:
            win(connection, 1)

    tries: list[int] = []
    with pytest.raises(DBAPIError):
        rerun(always(pair, tries, part))
    assert len(tries) == 1
    assert wins(pair) == [1, 0]


def test_another_failure_is_not_tried_again(pair: Database) -> None:
    tries: list[int] = []

    def wrong() -> None:
        tries.append(1)
        with pair.engine.begin() as connection:
            connection.execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError):
        rerun(wrong)
    assert len(tries) == 1


@pytest.fixture
def asked(pair: Database, settings: Settings) -> Flask:
    """An application with a view that loses as often as it is told to."""
    app, losses = Flask("asked"), iter([True, False, *[True] * 100])
    app.extensions[EXTENSION] = Surroundings(settings, pair, lambda: None, None)

    @app.get("/fight")
    def fight() -> str:
        with pair.engine.begin() as connection:
            win(connection, 1)
            if next(losses):
                connection.execute(text(GIVE_UP))
        return "won"

    errors.register(app)
    rerunning.register(app)
    return app


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_request_is_answered_by_its_second_run_and_in_the_end_asked_to_come_again(
    asked: Flask, pair: Database
) -> None:
    client = asked.test_client()
    assert client.get("/fight").text == "won"
    assert wins(pair) == [1, 0]
    answer = client.get("/fight")
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert answer.json["code"] == "unavailable"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert wins(pair) == [1, 0]
