"""Whether others work on a database whose rows are about to be replaced under their hands."""

import sqlite3
from contextlib import closing
from pathlib import Path
from time import sleep

from jobs.problem import Problem
from server.database import Database
from server.isolation import Extent
from server.services import backup_state
from server.settings import Settings

_STOP = "Stop the API and the job runners. Say --while-in-use where none of them can write."

# Behind a pooler: job runners look for work every 10 s, and whoever shares out requests asks an API as often.
LOOKING_SECONDS = 15.0


def check_alone(database: Database, settings: Settings) -> None:
    """Raise Problem where an API, a job runner or a command is connected.

    A pooler keeps connections of its own, also where nobody uses them: behind one, where somebody works.
    """
    if database.file is not None:
        database.close()  # we would be one of them
        _check_file(database.file)
    elif settings.limits.pooler:
        _check_behind_pooler(database, settings)
    elif not database.is_sqlite:
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


def _check_behind_pooler(database: Database, settings: Settings) -> None:
    """Look for a while whether any connection of the service's own role is used; only that role is told."""
    with database.read(Extent.NONE) as session:
        if not backup_state.lets_in(session, settings.sqlalchemy_url):
            return  # a new server: who can't come in is not at work
    with closing(Database(settings.sqlalchemy_url, limits=settings.limits)) as service:
        with service.read(Extent.NONE) as session:
            since = backup_state.in_a_second(session)
        sleep(LOOKING_SECONDS)
        with service.read(Extent.NONE) as session:
            count = backup_state.used_since(session, since)
    if count:
        raise Problem(f"Others work on the database: {count}. {_STOP}")
