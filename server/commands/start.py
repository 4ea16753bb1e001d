"""What one-shot work is started with: a migrated database, the time, and one clear line on trouble."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from jobs.problem import Problem
from server.commands.ground import database_of, settings_here
from server.database import Database
from server.services.errors import ServiceError
from server.services.people.passwords import Passwords
from server.settings import Settings


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
    settings = settings_here()
    with database_of(settings) as database:
        try:
            yield Around(settings, database, Passwords(settings.password_cost), datetime.now(UTC))
        except Problem as problem:
            raise click.ClickException(str(problem)) from None


@contextmanager
def told_plainly() -> Iterator[None]:
    """Say in one line what a service refuses."""
    try:
        yield
    except ServiceError as error:
        raise click.ClickException(error.detail) from None
