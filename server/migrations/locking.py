"""Changing tables beside whoever uses them: nobody there waits long, and nobody is sent away.

A request that holds one table and waits for the next, which we hold while we wait for the first, is a
deadlock. PostgreSQL looks for one after a second, and may end the request. So whoever holds a table never
stands in the line for another: it asks again and again, and gives back what it holds before long.
"""

from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic, sleep

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

MOMENT_MS = 800
"""Milliseconds in the line for a table, with empty hands."""
GATHERING = 0.7
"""Seconds to get the other tables after the first: who needs that one waits meanwhile, and nobody minds."""
BETWEEN = 0.01
"""Seconds between two asks."""
PAUSE = 0.2
"""Seconds between two tries, in which others get through."""
PATIENCE = 60.0
"""Seconds after which a try is the last one."""
NO_ONE_ELSE, NO_WRITER = "ACCESS EXCLUSIVE", "SHARE"
"""Beside whoever has a table: nobody; or those who only read."""
# A table is in use; or PostgreSQL has ended a deadlock.
_IN_USE = frozenset({"55P03", "40P01"})


def patiently(change: Callable[[], object]) -> None:
    """Do ``change``, which is all done or not at all, again and again while tables are in use.

    Raises DBAPIError (`is_in_use`) where they still are after `PATIENCE`.
    """
    until = monotonic() + PATIENCE
    while not _done(change, is_last=monotonic() >= until):
        sleep(PAUSE)


def take(connection: Connection, tables: Sequence[str], mode: str = NO_ONE_ELSE) -> None:
    """Lock ``tables``, the one that requests touch first in front: whoever is behind it holds nothing.

    In PostgreSQL only, in a transaction that holds none yet. Raises DBAPIError (`is_in_use`) where they
    can't be had together in time.
    """
    if not tables or connection.dialect.name != "postgresql":
        return
    first, *others = tables
    connection.exec_driver_sql(f"LOCK TABLE {first} IN {mode} MODE")
    until = monotonic() + GATHERING
    for name in others:
        ask = partial(_ask, connection, f"LOCK TABLE {name} IN {mode} MODE NOWAIT")
        while not _done(ask, is_last=monotonic() >= until):
            sleep(BETWEEN)


def is_in_use(error: DBAPIError) -> bool:
    """Return whether ``error`` says that somebody used a table for too long."""
    return getattr(error.orig, "sqlstate", None) in _IN_USE


def _ask(connection: Connection, lock: str) -> None:
    with connection.begin_nested():
        connection.exec_driver_sql(lock)


def _done(change: Callable[[], object], is_last: bool) -> bool:
    try:
        change()
    except DBAPIError as error:
        if is_last or not is_in_use(error):
            raise
        return False
    return True
