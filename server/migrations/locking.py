"""Changing tables beside whoever uses them: nobody there waits long, and nobody is sent away.

A request that holds one table and waits for the next, which we hold while we wait for the first, is a
deadlock. PostgreSQL looks for one when somebody has waited for a second (``deadlock_timeout``), and may end
the request. Nobody can have waited for us for longer than we have held anything: so what a migration needs is
taken together, in less than that, or all given back.
"""

from collections.abc import Callable
from time import monotonic, sleep

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

MOMENT_MS = 1_500
"""Milliseconds in the line for a table, with empty hands: after a second PostgreSQL ends a vacuum for us."""
SHARE = 0.4
"""Of the time until somebody looks for a deadlock: for getting the other tables after the first."""
PAUSE = 0.2
"""Seconds between two tries, in which others get through."""
PATIENCE = 60.0
"""Seconds after which a try is the last one."""
NO_ONE_ELSE, NO_WRITER = "ACCESS EXCLUSIVE", "SHARE"
"""Beside whoever has a table: nobody; or those who only read."""
# A table is in use; or PostgreSQL has ended a deadlock.
_IN_USE = frozenset({"55P03", "40P01"})
_UNTIL_A_LOOK = text("SELECT setting::int FROM pg_settings WHERE name = 'deadlock_timeout'")


def patiently(change: Callable[[], object]) -> None:
    """Do ``change``, which is all done or not at all, again and again while tables are in use.

    Raises DBAPIError (`is_in_use`) where they still are after `PATIENCE`.
    """
    until = monotonic() + PATIENCE
    while not _done(change, is_last=monotonic() >= until):
        sleep(PAUSE)


def take(connection: Connection, tables: list[str], mode: str = NO_ONE_ELSE) -> None:
    """Lock ``tables``, the one that requests touch first in front: whoever is behind it holds nothing.

    In PostgreSQL only, in a transaction that holds none yet. Raises DBAPIError (`is_in_use`) where they
    can't be had together in time; what was in the way then stands in front, for the next try.
    """
    if not tables or connection.dialect.name != "postgresql":
        return
    wait_at_most(connection, MOMENT_MS)
    for name in tables[1:]:
        _knock(connection, name, mode)
    window = SHARE * connection.execute(_UNTIL_A_LOOK).scalar_one()
    _lock(connection, tables[0], mode)
    until = monotonic() + window / 1000
    for name in tables[1:]:
        wait_at_most(connection, 1000 * (until - monotonic()))
        try:
            _lock(connection, name, mode)
        except DBAPIError:
            # Who has it may want what we have: the next time it is waited for with empty hands.
            tables.insert(0, tables.pop(tables.index(name)))
            raise
    wait_at_most(connection, MOMENT_MS)


def wait_at_most(connection: Connection, milliseconds: float) -> None:
    """Let a table be waited for so long from now on in this transaction (one millisecond at least)."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(int(milliseconds), 1)}")


def is_in_use(error: DBAPIError) -> bool:
    """Return whether ``error`` says that somebody used a table for too long."""
    return getattr(error.orig, "sqlstate", None) in _IN_USE


def _knock(connection: Connection, name: str, mode: str) -> None:
    """Wait for a table and let go of it: who has it for long is through then, and a vacuum has given way."""
    knocking = connection.begin_nested()
    _lock(connection, name, mode)
    knocking.rollback()


def _lock(connection: Connection, name: str, mode: str) -> None:
    connection.exec_driver_sql(f"LOCK TABLE {name} IN {mode} MODE")


def _done(change: Callable[[], object], is_last: bool) -> bool:
    try:
        change()
    except DBAPIError as error:
        if is_last or not is_in_use(error):
            raise
        return False
    return True
