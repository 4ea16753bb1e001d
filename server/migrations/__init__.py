"""Alembic migrations; `upgrade` brings a database to the code's version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from server.database import Database


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate ``database`` forward to ``revision``."""
    command.upgrade(_config(database), revision)


def downgrade(database: Database, revision: str) -> None:
    """Migrate ``database`` back to ``revision``; "base" removes everything."""
    command.downgrade(_config(database), revision)


def is_current(database: Database) -> bool:
    """Return whether ``database`` has every migration of this code."""
    newest = ScriptDirectory.from_config(_config(database)).get_current_head()
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest


def _config(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["database"] = database
    return config
