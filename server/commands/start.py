"""What every command needs: settings, a migrated database, the time, and one clear line on trouble."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import click
from sqlalchemy.exc import DatabaseError

from jobs.problem import Problem
from server.database import Database
from server.services import clinic as clinics
from server.services.passwords import Passwords
from server.settings import Settings, SettingsError, read_settings


@dataclass(frozen=True, slots=True)
class Around:
    """What one-shot work is started with. ``now`` is aware UTC and stands still."""

    settings: Settings
    database: Database
    passwords: Passwords
    now: datetime


@contextmanager
def started() -> Iterator[Around]:
    """Open the database of the environment's settings; ClickException for what a person can mend."""
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    database = Database(settings.sqlalchemy_url)
    try:
        _check_tables(database)
        yield Around(settings, database, Passwords(settings.password_cost), datetime.now(UTC))
    except Problem as problem:
        raise click.ClickException(str(problem)) from None
    finally:
        database.close()


def _check_tables(database: Database) -> None:
    try:
        with database.read() as session:
            clinics.by_slug(session, "")
    except DatabaseError:
        raise Problem(
            "The database can't be read, or its tables are not there: run `afterglow migrate` first."
        ) from None
