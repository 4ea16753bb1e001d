"""Changing tables beside whoever uses them: nobody there waits long, and nobody is sent away.

A request that holds one table and waits for the next, which we hold while we wait for the first, is a
deadlock. PostgreSQL looks for one after a second, and may end the request. So we wait for a table for less
than that, give back what we hold, and begin again.
"""

from collections.abc import Callable
from time import monotonic, sleep

from sqlalchemy.exc import DBAPIError

MOMENT_MS = 800
"""Milliseconds of waiting for a table: less than the second above."""
PAUSE = 0.2
"""Seconds between two tries, in which others get through."""
PATIENCE = 60.0
"""Seconds after which a try is the last one."""
# A table is in use; or PostgreSQL has ended a deadlock.
_IN_USE = frozenset({"55P03", "40P01"})


def patiently(change: Callable[[], object]) -> None:
    """Do ``change``, which is all done or not at all, again and again while tables are in use.

    Raises DBAPIError (`is_in_use`) where they still are after `PATIENCE`.
    """
    until = monotonic() + PATIENCE
    while not _done(change, is_last=monotonic() >= until):
        sleep(PAUSE)


def is_in_use(error: DBAPIError) -> bool:
    """Return whether ``error`` says that somebody used a table for too long."""
    return getattr(error.orig, "sqlstate", None) in _IN_USE


def _done(change: Callable[[], object], is_last: bool) -> bool:
    try:
        change()
    except DBAPIError as error:
        if is_last or not is_in_use(error):
            raise
        return False
    return True
