"""Run migrations on the database that `server.migrations` was given."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from server.database import Database
from server.isolation import EVERY_CLINIC
from server.migrations import rows
from server.migrations.locking import MOMENT_MS, take, wait_at_most
from server.migrations.steps import STEP, Step
from server.models import Base
from server.models.partial import say_where

ADVISORY_LOCK = 7_419_233


def run() -> None:
    """Migrate inside one transaction; two migrating processes wait for each other."""
    database = context.config.attributes["database"]
    assert isinstance(database, Database)
    with database.engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        if database.is_sqlite:
            # Batch operations drop and rename tables; foreign keys are checked afterwards instead.
            # The pragma only works outside a transaction, so it goes to the driver directly.
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        _migrate(connection, database.is_sqlite)
        if database.is_sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[union-attr]


def _migrate(connection: Connection, is_sqlite: bool) -> None:
    say_where(Base.metadata, connection.dialect.name)
    with connection.begin():
        # Only in a transaction that it finds open does the library leave all of it to us. Else it commits
        # every migration on SQLite by itself, and a second process does the next one meanwhile.
        context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=is_sqlite)
        if not is_sqlite:
            # Another process may migrate for long, and so may we; a table in use is waited for briefly.
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
            driver: Any = connection.connection.driver_connection
            driver.patience = None
            connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": ADVISORY_LOCK})
            wait_at_most(connection, MOMENT_MS)
            # The owner is held as well: rows that a migration changes are every clinic's.
            connection.exec_driver_sql(f"SET LOCAL {EVERY_CLINIC} = 'yes'")
            step: Step = context.config.attributes[STEP]
            take(connection, step.tables, step.mode)
        context.run_migrations()
        if not is_sqlite:
            rows.close_as_far_as(connection, context.get_context().get_current_revision())
        if is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise RuntimeError("a migration left rows that point nowhere; nothing was changed")


run()
