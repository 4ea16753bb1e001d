"""Behind PgBouncer in transaction mode, where each transaction may get another connection of the server."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from uuid_utils.compat import uuid7

from jobs import deliver, in_use
from jobs.around import Around
from jobs.problem import Problem
from server.api.edge import EXTENSION, Surroundings
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import RecordingGateway
from server.isolation import Extent
from server.postgresql.limits import Limits
from server.services.people.passwords import Passwords
from server.settings import Settings, master_keys
from tests.cast import Cast, entry, found_clinic
from tests.conftest import JWT_KEY, MASTER_KEY
from tests.pgbouncer import ABSENT, PROGRAM, pooled
from tests.postgresql_server import Server, migrated, server_of_our_own
from tests.test_concurrency import at_once

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=ABSENT)
POOLER = Limits(pooler=True)


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server of our own."""
    with server_of_our_own(("fsync = off",)) as server:
        migrated(server.url)
        yield server


@pytest.fixture(scope="module")
def url(own: Server) -> Iterator[str]:
    """Its address through the pooler."""
    with pooled(own) as address:
        yield address


@pytest.fixture
def behind(url: str, built_app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Around]:
    """The application and a worker behind the pooler."""
    settings = Settings(
        database_url=url,
        data_dir=tmp_path_factory.mktemp("behind"),
        password_cost="cheap",
        jwt_key=JWT_KEY,
        master_key=MASTER_KEY,
    )
    database, now = Database(url, master_keys(settings), POOLER), datetime.now(UTC)
    built_app.extensions[EXTENSION] = Surroundings(settings, database, lambda: now, Passwords("cheap"))
    yield Around(database, settings, {Channel.EMAIL: RecordingGateway()})
    database.close()


@pytest.fixture(scope="module")
def people(built_app: Flask) -> list[Cast]:
    """Ana and the others, once they are there."""
    return []


def test_the_loop_goes_round_with_more_connections_than_the_server_gives(
    behind: Around, people: list[Cast], built_app: Flask
) -> None:
    people.append(cast := found_clinic(built_app))
    now = datetime.now(UTC)
    sent = [(f"/entries/{uuid7()}", entry(now, safety="often")) for _ in range(8)]
    for _ in range(3):
        answers = at_once([lambda path=path, body=body: cast.ana.put(path, body) for path, body in sent])
        assert {answer.status_code for answer in answers} <= {200, 201}
    assert Counter(row["id"] for row in cast.ana.get("/entries").json["items"]).total() == len(sent)
    assert len(cast.bo.get("/alerts").json["items"]) == 1
    with behind.database.snapshot(Extent.ALL) as session:
        session.execute(text("SELECT 1"))
    assert deliver.run(behind, datetime.now(UTC)) == 1


def test_nothing_that_one_says_to_a_connection_is_heard_by_the_next(behind: Around, url: str) -> None:
    """What holds longer than a transaction would reach others' transactions."""
    databases = [behind.database, Database(url, limits=POOLER)]
    asked = "SELECT current_setting('transaction_isolation'), current_setting('role'), count(*) "
    for database in databases * 4:
        with database.snapshot(Extent.ALL) as session:
            session.execute(text("SELECT 1"))
        with database.engine.begin() as connection:
            found = connection.execute(text(asked + "FROM pg_prepared_statements GROUP BY 1, 2")).all()
            assert found == []
            assert connection.scalar(text("SHOW transaction_isolation")) == "read committed"
    databases[1].close()


def test_the_pooler_sets_the_time_outs_as_the_page_says(behind: Around) -> None:
    with behind.database.engine.begin() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "2s"
        assert connection.scalar(text("SHOW lock_timeout")) == "1s"
        assert connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"


def test_without_the_setting_it_would_be_refused(url: str) -> None:
    database = Database(url, limits=replace(POOLER, pooler=False))
    with pytest.raises(DBAPIError, match="unsupported startup parameter"), database.engine.connect():
        pass
    database.close()


def test_statements_that_are_prepared_would_collide(own: Server) -> None:
    """Why the setting is there at all: two clients that prepare, on the same connection of the server."""
    with pooled(own, size=1) as url:
        address = url.replace("+psycopg", "")
        clients = [psycopg.connect(address, prepare_threshold=0, autocommit=True) for _ in range(2)]
        clients[0].execute("SELECT 1")
        with pytest.raises(psycopg.errors.DuplicatePreparedStatement):
            clients[1].execute("SELECT 1")
        for client in clients:
            client.close()


def test_a_restore_sees_who_works_through_the_pooler_and_nobody_in_what_it_keeps(
    own: Server, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections look alike, so that a restore put rows in the place of those being written to."""
    as_role = url.replace("anybody@", "postgres@")  # what the pooler makes of every name
    settings = Settings(database_url=as_role, data_dir=tmp_path, database_pooler="transaction")
    # Longer than the second in which our own question may count as somebody's.
    monkeypatch.setattr(in_use, "LOOKING_SECONDS", 2.5)
    with closing(Database(own.url)) as owner, closing(Database(url, limits=POOLER)) as api:
        with ThreadPoolExecutor() as others:
            others.submit(_ask_again_and_again, api, 4.0)
            with pytest.raises(Problem, match="Others work on the database: 1"):
                in_use.check_alone(owner, settings)
        in_use.check_alone(owner, settings)  # they are still connected
        # A new server gets that role when the rows are back.
        in_use.check_alone(owner, replace(settings, database_url=as_role.replace("postgres@", "new@")))


def _ask_again_and_again(database: Database, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with database.read(Extent.NONE) as session:
            session.execute(text("SELECT pg_sleep(0.1)"))
