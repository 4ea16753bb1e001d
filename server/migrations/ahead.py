"""What can be done to one table at a time is done before the migrations, which keep what they have locked.

Row-level security is for nearly all tables. Closed together, in one transaction, they would meet every
request that is under way; closed one after the other each is taken for a moment only, and a run that was cut
off goes on.
"""

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from server.database import Database
from server.migrations import rows
from server.migrations.locking import MOMENT_MS, patiently
from server.models.schema import HEAD

Change = Callable[[Connection, str], None]


def close_ahead(database: Database, found: str | None, wanted: str) -> None:
    """Close tables as far as a database of ``wanted`` has them closed; ``found`` is its migration by now.

    The owner is held ahead only where nothing else is left to do: a version before could not go on.
    """
    goal = HEAD if wanted == "head" else wanted
    if database.is_sqlite or found is None or goal < rows.HELD_SINCE:
        return
    _each(database, rows.not_held, rows.hold_one)
    if goal >= rows.FORCED_SINCE > found >= rows.LAST_NOT_FORCED:
        _each(database, rows.not_forced, rows.force_one)


def _each(database: Database, left: Callable[[Connection], list[str]], change: Change) -> None:
    with database.engine.begin() as connection:
        names = left(connection)
    for name in names:
        patiently(partial(_one, database, name, change))


def _one(database: Database, name: str, change: Change) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {MOMENT_MS}")
        change(connection, name)
