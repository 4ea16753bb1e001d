"""How many requests a process works on at once follows from where its database is, or is set."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from server.app import create_app
from server.database import Database
from server.serve import EMBEDDED, LINE, MOST, NEAR, SPARE, THREADS, before, places, threads
from server.settings import Settings
from server.turnstile import ASIDE

# PostgreSQL's package warns where a machine has no folder for what runs.
pytestmark = pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR")
# Milliseconds there and back.
ANOTHER_BUILDING, ANOTHER_COUNTRY = 1.0, 30.0


@pytest.fixture
def away(request: pytest.FixtureRequest, postgresql_url: str, tmp_path: Path) -> Iterator[Database]:
    """PostgreSQL so many milliseconds away."""
    from benchmarks.far_database import relayed

    with relayed(postgresql_url, tmp_path, request.param) as url, closing(Database(url)) as database:
        yield database


def test_in_an_embedded_database_one_request_is_worked_on_at_a_time(sqlite_url: str) -> None:
    with closing(Database(sqlite_url)) as database:
        assert places(database) == EMBEDDED


def test_beside_a_server_one_waits_for_it_and_one_works(postgresql_url: str) -> None:
    with closing(Database(postgresql_url)) as database:
        assert NEAR <= places(database) < MOST  # more than two only where the machine is very busy


@pytest.mark.parametrize("away", [ANOTHER_BUILDING], indirect=True)
def test_of_a_server_in_another_building_more_of_them_wait(away: Database) -> None:
    assert NEAR + 2 <= places(away) <= MOST


@pytest.mark.parametrize("away", [ANOTHER_COUNTRY], indirect=True)
def test_there_is_a_most_however_far_away_the_server_is(away: Database) -> None:
    assert places(away) == MOST


def test_a_server_that_is_away_keeps_nobody_from_starting(tmp_path: Path) -> None:
    with closing(Database(f"postgresql+psycopg://nobody@/nothing?host={tmp_path}")) as database:
        assert places(database) == NEAR


@pytest.mark.long
@pytest.mark.parametrize("number", [1, 3, 12])
def test_what_is_set_is_how_many_are_worked_on(settings: Settings, number: int) -> None:
    set_so = replace(settings, requests_at_once=number)
    door = before(create_app(set_so), set_so)
    assert (door._free, door._free + door._more) == (number, max(number, THREADS))


@pytest.mark.parametrize("number", [1, MOST, 64])
def test_however_many_work_wait_or_have_stepped_aside_there_are_threads_to_turn_others_away(
    number: int,
) -> None:
    assert threads(number) - max(number, THREADS) - ASIDE - LINE >= SPARE
