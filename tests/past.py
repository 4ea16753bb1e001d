"""What many tests begin with is played once; further tests that come to the same point get its rows back."""

from collections.abc import Callable
from typing import Any, TypeVar

from server.database import Database
from tests.keeper import Keeper, Kept

T = TypeVar("T")
# The steps that made the rows of a database since it was empty, or None where anything else has written.
Past = tuple[Any, ...] | None

_KEEPERS: dict[str, Keeper] = {}
_PLAYED: dict[Any, tuple[Kept, Any]] = {}


def address(database: Database) -> str:
    """Return the address of ``database``, with all that is needed to open it."""
    return database.engine.url.render_as_string(hide_password=False)


def make_room(database: Database) -> None:
    """Let rows of a migrated database be kept, until the end of the tests."""
    known = address(database)
    if known not in _KEEPERS:
        _KEEPERS[known] = Keeper(known)


def keeper_of(database: Database) -> Keeper | None:
    """Return who keeps rows of ``database``; nobody where no room was made."""
    return _KEEPERS.get(address(database))


def forget() -> None:
    """Close what is open."""
    for keeper in _KEEPERS.values():
        keeper.close()
    _KEEPERS.clear()


def once(database: Database, step: Any, play: Callable[[], T]) -> T:
    """Return what ``play`` returns: it is played unless ``step`` was, on the same past.

    ``step`` names all it depends on but the rows; it does not move the clock. What is not known to be the
    same past is played.
    """
    past: Past = getattr(database, "past", None)
    keeper = keeper_of(database)
    if not past or keeper is None:
        return play()
    key = (database.engine.dialect.name, *past, step)
    if key not in _PLAYED:
        result = play()
        _PLAYED[key] = keeper.keep(), result
    else:
        rows, result = _PLAYED[key]
        keeper.empty()
        keeper.bring_back(rows)
    database.past = (*past, step)  # type: ignore[attr-defined]
    return result
