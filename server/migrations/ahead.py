"""What can be done to one table at a time is done before a migration, which keeps what it has locked.

Row-level security is for nearly all tables. Closed together, in one transaction, they would meet every
request that is under way; closed one after the other each is taken for a moment only, and a run that was cut
off goes on.
"""

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from server.database import Database
from server.migrations import rows
from server.migrations.locking import MOMENT_MS, patiently, wait_at_most
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


def open_ahead(database: Database, found: str | None, wanted: str) -> None:
    """Open tables, on the way back, as a database of ``wanted`` has them; ``found`` is its migration by now.

    None is opened to other roles while there is another migration to undo.
    """
    if database.is_sqlite or found is None:
        return
    if found >= rows.FORCED_SINCE > wanted:
        _each(database, rows.forced, rows.let_owner_go)
    if found == rows.HELD_SINCE:
        _each(database, rows.held, rows.let_go)


def _each(database: Database, left: Callable[[Connection], list[str]], change: Change) -> None:
    with database.engine.begin() as connection:
        names = left(connection)
    for name in names:
        patiently(partial(_one, database, name, change))


def _one(database: Database, name: str, change: Change) -> None:
    with database.engine.begin() as connection:
        wait_at_most(connection, MOMENT_MS)
        change(connection, name)
