"""Many tables at once, beside whoever uses them: all of them or none, and nobody waits long or is sent away.

Taken one after the other, as a migration would, they end in a deadlock: a request holds one and waits for the
next. PostgreSQL looks for that after a second; whoever has to give way then fails. So each wait here is much
shorter, and what was taken is given back before the next try.
"""

from collections.abc import Sequence
from time import monotonic, sleep

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

MOMENT_MS = 200
"""Milliseconds of waiting for one table."""
PAUSE = 0.1
"""Seconds between tries, in which requests get through."""
# A table is in use; or PostgreSQL has ended a deadlock.
IN_USE = frozenset({"55P03", "40P01"})


def lock_all(connection: Connection, names: Sequence[str], patience: float) -> None:
    """Keep everybody else out of the tables ``names`` until the transaction ends.

    Raises DBAPIError where one of them is still in use after ``patience`` seconds.
    """
    until = monotonic() + patience
    while names and not _locked(connection, names, is_last=monotonic() >= until):
        sleep(PAUSE)


def is_in_use(error: DBAPIError) -> bool:
    """Return whether ``error`` says that somebody used a table for too long."""
    return getattr(error.orig, "sqlstate", None) in IN_USE


def _locked(connection: Connection, names: Sequence[str], is_last: bool) -> bool:
    usual = connection.scalar(text("SELECT current_setting('lock_timeout')"))
    try:
        with connection.begin_nested():  # taken back, it gives back what it had locked
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {MOMENT_MS}")
            connection.exec_driver_sql(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{usual}'")
    except DBAPIError as error:
        if is_last or not is_in_use(error):
            raise
        return False
    return True
