"""Patients' reads go to a real streaming replica, and see at least what they wrote themselves."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest
from flask import Flask
from sqlalchemy import event, text
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

import server.replica
from server.api.edge import EXTENSION, Surroundings
from server.api.following import HEADER
from server.database import Database
from server.isolation import Extent
from server.postgresql.limits import Limits
from server.replica import NOWHERE, Replica, replica_of
from server.services.people.passwords import Passwords
from server.settings import Settings, master_keys
from tests.cast import Cast, Person, entry, found_clinic
from tests.conftest import JWT_KEY, MASTER_KEY, empty
from tests.postgresql_server import Server, migrated, server_of_our_own

QUICK = Limits(wait=1, connect=1)


@pytest.fixture(scope="module")
def primary() -> Iterator[Server]:
    """The server that is written to."""
    with server_of_our_own(("wal_keep_size = '64MB'",)) as found:
        migrated(found.url)
        yield found


@pytest.fixture(scope="module")
def standby(primary: Server) -> Iterator[Server]:
    """One that follows it."""
    with server_of_our_own(clone=primary) as found:
        yield found


@dataclass
class World:
    """Ana's phone, the two databases, and how many questions about entries each was asked."""

    ana: Person
    replica: Replica
    asked: dict[str, int] = field(default_factory=lambda: {"primary": 0, "replica": 0})
    seen: str = ""

    def put(self) -> str:
        """Write an entry and keep what the phone is told; return its id."""
        entry_id = str(uuid7())
        answer = self.ana.put(f"/entries/{entry_id}", entry(datetime.now(UTC)))
        assert answer.status_code == 201, answer.text
        self.seen = answer.headers[HEADER]
        return entry_id

    def get(self, seen: str) -> TestResponse:
        """Read the entries as a phone that has ``seen`` so much."""
        headers = {"Authorization": f"Bearer {self.ana.token}", **({HEADER: seen} if seen else {})}
        return self.ana.client.get("/v1/entries", headers=headers)

    def served_by(self, seen: str) -> tuple[str, set[str]]:
        """Return who answered a reading, and the ids it brought."""
        before = dict(self.asked)
        answer = self.get(seen)
        assert answer.status_code == 200, answer.text
        (who,) = [name for name, count in self.asked.items() if count > before[name]]
        return who, {row["id"] for row in answer.json["items"]}


@pytest.fixture
def world(
    primary: Server, standby: Server, built_app: Flask, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The application with a replica, and Ana."""
    settings = Settings(
        database_url=primary.url,
        data_dir=tmp_path_factory.mktemp("replica"),
        password_cost="cheap",
        jwt_key=JWT_KEY,
        master_key=MASTER_KEY,
    )
    database, now = Database(primary.url, master_keys(settings), QUICK), datetime.now(UTC)
    replica = replica_of(database, standby.url, QUICK)
    assert replica is not None
    built_app.extensions[EXTENSION] = Surroundings(
        settings, database, lambda: now, Passwords("cheap"), replica=replica
    )
    people: Cast = found_clinic(built_app)
    found = World(people.ana, replica)
    for name, one in (("primary", database), ("replica", replica.database)):
        event.listen(one.engine, "before_cursor_execute", _counting(found, name))
    yield found
    _replay(standby, "resume")
    empty(database)
    database.close(), replica.close()


def _counting(world: World, name: str) -> Callable[..., None]:
    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        world.asked[name] += "FROM entries" in statement

    return count


def _replay(standby: Server, what: str) -> None:
    database = Database(standby.url)
    with database.engine.begin() as connection:
        connection.execute(text(f"SELECT pg_wal_replay_{what}()"))
    database.close()


def comes_true(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 15
    while not what() and time.monotonic() < deadline:
        time.sleep(0.05)
    return what()


def test_a_phone_that_says_what_it_has_seen_reads_from_the_replica_and_finds_its_own_writes(
    world: World,
) -> None:
    written = {world.put() for _ in range(3)}
    assert comes_true(lambda: world.served_by(world.seen)[0] == "replica")
    assert world.served_by(world.seen) == ("replica", written)


def test_while_the_replica_lags_behind_what_was_seen_the_primary_answers(
    world: World, standby: Server
) -> None:
    first = world.put()
    assert comes_true(lambda: world.served_by(world.seen)[0] == "replica")
    had = world.seen
    _replay(standby, "pause")
    second = world.put()
    assert world.served_by(world.seen) == ("primary", {first, second})
    assert world.served_by(had) == ("replica", {first})  # for who has seen no more, it is good enough
    _replay(standby, "resume")
    assert comes_true(lambda: world.served_by(world.seen)[0] == "replica")


@pytest.mark.parametrize("seen", ["", "nonsense", "0/0'; DROP", NOWHERE])
def test_who_does_not_say_what_they_have_seen_reads_from_the_primary(world: World, seen: str) -> None:
    written = world.put()
    assert world.served_by(seen) == ("primary", {written})


def test_a_replica_that_is_away_is_asked_once_and_the_primary_answers(
    world: World, standby: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = world.put()
    assert comes_true(lambda: world.served_by(world.seen)[0] == "replica")
    standby.stop()
    assert world.served_by(world.seen) == ("primary", {written})
    assert world.replica.rests_until > time.monotonic()
    began = time.monotonic()
    assert world.served_by(world.seen) == ("primary", {written})
    assert time.monotonic() - began < 1
    standby.start()
    monkeypatch.setattr(world.replica, "rests_until", 0.0)
    assert comes_true(lambda: world.served_by(world.seen)[0] == "replica")


@contextmanager
def frozen(standby: Server) -> Iterator[None]:
    """No process of the standby says a word meanwhile, and none hangs up."""
    top = psutil.Process(int((standby.folder / "data" / "postmaster.pid").read_text().split()[0]))
    stopped = [top, *top.children()]
    for one in stopped:
        one.suspend()
    try:
        yield
    finally:
        for one in reversed(stopped):
            one.resume()


def test_one_that_is_frozen_holds_a_reader_up_for_a_second_and_the_primary_answers(
    world: World, standby: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = world.put()
    assert comes_true(lambda: world.served_by(world.seen)[0] == "replica")
    with frozen(standby):
        began = time.monotonic()
        assert world.served_by(world.seen) == ("primary", {written})
        assert time.monotonic() - began < 8
    monkeypatch.setattr(world.replica, "rests_until", 0.0)
    assert comes_true(lambda: world.served_by(world.seen)[0] == "replica")


def test_one_that_fails_in_the_middle_is_followed_by_the_primary_in_the_same_request(
    world: World, standby: Server
) -> None:
    written = world.put()
    assert comes_true(lambda: world.served_by(world.seen)[0] == "replica")

    def cut(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "FROM entries" in statement:
            cursor.connection.close()

    event.listen(world.replica.database.engine, "before_cursor_execute", cut)
    answer = world.get(world.seen)
    event.remove(world.replica.database.engine, "before_cursor_execute", cut)
    assert [row["id"] for row in answer.json["items"]] == [written]


def test_the_care_team_reads_from_the_primary(world: World, built_app: Flask) -> None:
    """What a clinician decides on is never a moment old; their reading is audited, and so a write."""
    world.put()
    before = world.asked["replica"]
    with built_app.test_client() as client:
        who = {"clinic": "demo", "email": "bo@clinic.example", "password": "correct horse battery"}
        token = client.post("/v1/sign-ins", json=who).json["access_token"]
        headers = {"Authorization": f"Bearer {token}", HEADER: world.seen}
        path = f"/v1/patients/{world.ana.patient_id}/entries"
        assert client.get(path, headers=headers).status_code == 200
    assert world.asked["replica"] == before


def test_one_that_was_promoted_is_no_replica_any_more(primary: Server, world: World) -> None:
    with server_of_our_own(clone=primary) as third:
        promoted = Replica(Database(third.url), world.replica.primary)
        third.ctl("promote")
        with promoted.read("0/0", Extent.ALL) as session:
            assert session.scalar(text("SELECT pg_is_in_recovery()")) is False
            assert session.connection().engine.url == world.replica.primary.engine.url
        promoted.close()


def test_without_an_address_or_a_server_there_is_none(primary: Server, tmp_path: Any) -> None:
    database, embedded = Database(primary.url), Database(f"sqlite:///{tmp_path}/a.db")
    assert replica_of(database, "", QUICK) is None
    assert replica_of(embedded, primary.url, QUICK) is None
    database.close(), embedded.close()
    assert server.replica.REST > 0
