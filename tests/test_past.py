"""What is played once comes back to the row, and only where the same went before it."""

from collections.abc import Callable

from uuid_utils.compat import uuid7

from server.database import Database
from tests.cast import Cast, entry
from tests.conftest import Clock, Watched, bring_back, empty, keep, rows_of
from tests.past import once


def a_day(cast: Cast, clock: Clock, played: list[str]) -> Callable[[], str]:
    """Return what logs a day of Ana's and says under which id."""

    def play() -> str:
        played.append(str(uuid7()))
        assert cast.ana.put(f"/entries/{played[-1]}", entry(clock.now)).status_code == 201
        return played[-1]

    return play


def content(database: Database) -> dict[str, list[str]]:
    return {name: sorted(map(repr, rows)) for name, rows in rows_of(database).items()}


def test_on_the_same_past_a_step_is_played_once_and_its_rows_come_back(
    cast: Cast, clock: Clock, database: Watched
) -> None:
    before, past, played = keep(database), database.past, list[str]()
    step, play = ("a day", uuid7()), a_day(cast, clock, played)
    first, after = once(database, step, play), content(database)
    empty(database)
    bring_back(database, before)
    assert content(database) != after
    database.past = past
    assert once(database, step, play) == first
    assert played == [first]
    assert content(database) == after


def test_after_anything_else_was_written_a_step_is_played_anew(
    cast: Cast, clock: Clock, database: Watched
) -> None:
    played: list[str] = []
    step, play = ("a day", uuid7()), a_day(cast, clock, played)
    once(database, step, play)
    once(database, step, play)  # after itself, it is another step
    for _ in range(2):
        a_day(cast, clock, [])()
        once(database, step, play)
    assert len(set(played)) == 4
