"""`afterglow migrate`: bring the database to the code's version."""

from dataclasses import replace

import click
from sqlalchemy import URL, make_url

from server.commands.ground import database_of, settings_here
from server.database import Database
from server.migrations import is_current, upgrade
from server.migrations.standing import standing
from server.settings import Settings

_RIGHTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
)


@click.command("migrate")
@click.option(
    "--check", is_flag=True, help="Change nothing; exit with 1 where the database is behind or ahead."
)
def command(check: bool) -> None:
    """Bring the database to the code's version. A second time changes nothing."""
    settings = settings_here()
    if check:
        _check(settings)
        behind = False
    else:
        behind = bring_up_to_date(settings)
    click.echo("The database is migrated." if behind else "The database is up to date.")


def bring_up_to_date(settings: Settings) -> bool:
    """Migrate as the role that owns the tables, and give the service's own role its rights.

    Return whether the database was behind.
    """
    owner = settings.migration_url or settings.database_url
    with database_of(replace(settings, database_url=owner), migrated=False) as database:
        behind = not is_current(database)
        if behind:
            upgrade(database)
        if owner != settings.database_url:
            _let_in(database, make_url(settings.database_url))
    return behind


def _let_in(database: Database, service: URL) -> None:
    """Grant the role of the service what it needs."""
    if database.is_sqlite or service.username is None:
        return
    role = database.engine.dialect.identifier_preparer.quote(service.username)
    with database.engine.begin() as connection:
        for right in _RIGHTS:
            connection.exec_driver_sql(right.format(role=role))


def _check(settings: Settings) -> None:
    """Raise ClickException where the database has other migrations than this code, and say which."""
    with database_of(settings, migrated=False) as database:
        found = standing(database)
    if found.ahead:
        raise click.ClickException(
            f"The database is ahead: this version does not know its migration {found.found}. Run a newer one."
        )
    if not found.is_current:
        raise click.ClickException(
            f"The database is behind. It lacks {', '.join(found.missing)}. Run: afterglow migrate"
        )
