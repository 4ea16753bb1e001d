"""Workers are woken through the database, look by themselves where that fails, and go by its clock."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jobs.around import Around
from server.commands.work import listening
from server.commands.worker_clock import NOTABLE, WorkerClock
from server.database import Database
from server.postgresql.bell import Bell
from server.postgresql.limits import Limits
from server.services.messages import bell as bells
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import ana_raises_a_red_flag
from tests.postgresql_server import Server, server_of_our_own

NEVER = 30.0
only_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def comes_true(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + NEVER
    while not what() and time.monotonic() < deadline:
        time.sleep(0.02)
    return what()


def waited(bell: Bell, stopping: threading.Event | None = None) -> float:
    """Return for how many seconds the bell lets a worker wait."""
    began = time.monotonic()
    bell.wait(stopping or threading.Event())
    return time.monotonic() - began


@pytest.fixture
def hung(around: Around) -> Iterator[Around]:
    """A worker that listens, and would otherwise look once in half a minute."""
    patient = replace(around, bell=Bell(brief=NEVER, long=NEVER))
    with listening(patient):
        assert comes_true(lambda: patient.bell.listening)
        patient.bell.wait(threading.Event())  # as it begins to listen, it looks
        yield patient


@only_postgresql
def test_a_red_flag_wakes_a_worker_on_another_connection(hung: Around, cast: Cast, clock: Clock) -> None:
    ana_raises_a_red_flag(cast, clock)
    assert waited(hung.bell) < 2


@only_postgresql
def test_it_rings_when_it_is_committed_and_not_for_what_was_taken_back(
    hung: Around, database: Database
) -> None:
    quick = Bell(brief=0.2)
    with suppress(LookupError), database.write() as session:
        bells.ring(session)
        raise LookupError
    with database.write() as session:
        bells.ring(session)
        bells.ring(session)
        assert waited(quick) >= 0.2  # time for it to come too early
        assert not hung.bell._rung.is_set()
    assert waited(hung.bell) < 2


def test_a_wish_to_stop_is_heard_at_once(around: Around) -> None:
    stopping = threading.Event()
    threading.Timer(0.1, stopping.set).start()
    assert waited(Bell(brief=NEVER), stopping) < 2


def test_without_a_bell_it_is_looked_often(around: Around, settings: Settings) -> None:
    behind = replace(around, settings=replace(settings, database_pooler="transaction"))
    with listening(behind):
        assert waited(behind.bell) < 2
        assert not behind.bell.listening


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server that may be stopped."""
    with server_of_our_own() as server:
        yield server


@pytest.mark.long
def test_a_bell_that_falls_silent_hangs_again_by_itself(
    own: Server, caplog: pytest.LogCaptureFixture
) -> None:
    bell = Bell(brief=0.1)
    with bell.hung(own.url, Limits().bell_args(), bells.CHANNEL):
        assert comes_true(lambda: bell.listening)
        own.stop()
        assert comes_true(lambda: not bell.listening)
        assert waited(bell) < 2
        own.start()
        assert comes_true(lambda: bell.listening)
    assert "the bell is silent" in caplog.text


@only_postgresql
def test_a_worker_goes_by_the_clock_of_the_database_and_says_where_its_own_is_wrong(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """F14: a day ahead, it would take from all others what they have in hand."""
    time = WorkerClock(database, lambda: datetime.now(UTC) + timedelta(days=1))
    found = [time(), time()]
    assert all(abs(one - datetime.now(UTC)) < NOTABLE for one in found)
    assert [record.message for record in caplog.records] == [
        "this machine's clock and the database's are 86400 s apart"
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_embedded_database_has_the_clock_of_its_machine(database: Database, clock: Clock) -> None:
    assert WorkerClock(database, clock)() == clock.now
