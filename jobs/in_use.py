"""Whether others work on a database whose rows are about to be replaced under their hands."""

import sqlite3
from contextlib import closing
from pathlib import Path

from jobs.problem import Problem
from server.database import Database
from server.isolation import Extent
from server.services import backup_state
from server.settings import Settings

_STOP = "Stop the API and the job runners. Say --while-in-use where none of them can write."


def check_alone(database: Database, settings: Settings) -> None:
    """Raise Problem where an API, a job runner or a command is connected.

    Behind a pooler nobody can tell: it keeps connections of its own, also where nobody uses them.
    """
    if database.file is not None:
        database.close()  # we would be one of them
        _check_file(database.file)
    elif not database.is_sqlite and not settings.limits.pooler:
        _check_server(database, settings)


def _check_file(file: Path) -> None:
    with closing(sqlite3.connect(file, timeout=0)) as alone:
        # Whoever has a database in WAL mode open holds a lock on it, at work or not: nobody else is let in.
        alone.execute("PRAGMA locking_mode=EXCLUSIVE")
        _look(alone)


def _look(alone: sqlite3.Connection) -> None:
    try:
        alone.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise Problem(f"Another process works on the database. {_STOP}") from None


def _check_server(database: Database, settings: Settings) -> None:
    with database.read(Extent.NONE) as session:
        count = backup_state.connected(session, settings.sqlalchemy_url)
    if count:
        raise Problem(f"Others are connected to the database: {count}. {_STOP}")
