"""A transaction that PostgreSQL ended to let others go on is run again, as a whole.

Only whoever can do everything anew may use it: an edge, whose work has left nothing behind so far. What may
be done twice without harm is tried again also while the database is away.
"""

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from secrets import randbelow
from time import monotonic, sleep
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

R = TypeVar("R")
# could not serialise; was chosen out of a deadlock
GIVES_WAY = frozenset({"40001", "40P01"})
MOST = 5
# The longest pause before the first rerun, in seconds; each further one may be twice as long.
FIRST_PAUSE = 0.02
# How often one who insists knocks at a database that is away, in seconds.
KNOCK = 0.5

_committed: ContextVar[bool] = ContextVar("committed", default=False)


def note_commit(_connection: Any) -> None:
    """Remember that something was committed: what did it can't be done anew. A listener of the engine."""
    _committed.set(True)


def rerun(do: Callable[[], R]) -> R:
    """Return what ``do`` returns, run again up to `MOST` times while the database takes it back.

    Raises what ``do`` raised last: where that was something else, where it had committed a part, or where
    it still does not get through.
    """
    before = _committed.get()
    _committed.set(False)
    try:
        return _insist(do)
    finally:
        _committed.set(before or _committed.get())


def _insist(do: Callable[[], R]) -> R:
    for number in range(MOST):
        with suppress(_GaveWay):
            return _try(do)
        # By chance: those who collided must not meet again.
        sleep(FIRST_PAUSE * 2**number * randbelow(1000) / 1000)
    return do()


class Elsewhere(OperationalError):
    """What was asked failed on one server and would be asked of another one if it were asked again."""


class _GaveWay(Exception):
    """The database ended it, and nothing is left behind."""


def _try(do: Callable[[], R]) -> R:
    try:
        return do()
    except DBAPIError as error:
        if gave_way(error) and not _committed.get():
            raise _GaveWay from error
        raise


def gave_way(error: DBAPIError) -> bool:
    """Return whether the database ended a transaction only because of others, or another one stands in."""
    return isinstance(error, Elsewhere) or getattr(error.orig, "sqlstate", None) in GIVES_WAY


def insist(do: Callable[[], R], seconds: float) -> R:
    """Return what ``do`` returns, tried for so long while the database is away or busy.

    Whether a commit got through is not known when the connection broke at it: doing it twice must do no
    harm. Raises what ``do`` raised last.
    """
    until = monotonic() + seconds
    while monotonic() + KNOCK < until:
        with suppress(_Away):
            return _knock(do)
        sleep(KNOCK)
    return do()


class _Away(Exception):
    """The database could not be asked."""


def _knock(do: Callable[[], R]) -> R:
    try:
        return do()
    except (OperationalError, PoolTimeout) as error:
        raise _Away from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _Away from error
        raise
