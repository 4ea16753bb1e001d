"""Alembic migrations; `upgrade` brings a database to the code's version.

Alembic is loaded where it is needed only: every process asks at its start whether the database is
current, and few ever migrate one.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from server.database import Database
from server.migrations.locking import patiently
from server.migrations.standing import revision_of
from server.models.schema import HEAD as HEAD
from server.models.schema import WORKS_FROM as WORKS_FROM

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alembic.config import Config

    from server.migrations.steps import Step, Way


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate ``database`` forward to ``revision``."""
    from alembic import command

    from server.migrations import steps
    from server.migrations.ahead import close_ahead

    config = _config(database)
    for step in _steps(database, config, revision, steps.forward):
        close_ahead(database, revision_of(database), step.to)
        config.attributes[steps.STEP] = step
        patiently(partial(command.upgrade, config, step.to))


def downgrade(database: Database, revision: str) -> None:
    """Migrate ``database`` back to ``revision``; "base" removes everything."""
    from alembic import command

    from server.migrations import steps
    from server.migrations.ahead import open_ahead

    config = _config(database)
    for step in _steps(database, config, revision, steps.back):
        open_ahead(database, revision_of(database), step.to)
        config.attributes[steps.STEP] = step
        patiently(partial(command.downgrade, config, step.to))


def _steps(database: Database, config: "Config", revision: str, way: "Way") -> "Iterable[Step]":
    """Return the steps to ``revision``; one on an empty or embedded database, where nobody is beside us."""
    from server.migrations.steps import Step

    found = revision_of(database)
    return [Step(revision)] if found is None or database.is_sqlite else way(config, found, revision)


def is_current(database: Database) -> bool:
    """Return whether ``database`` has every migration of this code, or more.

    Ahead is well: migrations are safe beside the version of the code before, which may have to start again.
    """
    return _has(database, HEAD)


def suffices(database: Database) -> bool:
    """Return whether this code works on ``database``: what it lacks, if anything, only ends an older one."""
    return _has(database, WORKS_FROM)


def _has(database: Database, revision: str) -> bool:
    found = revision_of(database)
    return found is not None and found >= revision


def knows(revision: str) -> bool:
    """Return whether this code has the migration ``revision``: an older or the same version made it."""
    return any(Path(__file__).parent.glob(f"versions/{revision}_*.py")) if revision.isalnum() else False


def _config(database: Database) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["database"] = database
    return config
