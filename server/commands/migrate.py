"""`afterglow migrate`: bring the database to the code's version."""

from dataclasses import replace

import click
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from server.commands.ground import check_there, database_of, settings_here
from server.database import Database
from server.migrations import HEAD, WORKS_FROM, is_current, rows, suffices, upgrade
from server.migrations.locking import is_in_use
from server.migrations.standing import standing
from server.settings import Settings

# Before its last step a version that is replaced goes on, and this one works already.
STOPS = (WORKS_FROM, HEAD)


@click.command("migrate")
@click.option(
    "--check", is_flag=True, help="Change nothing; exit with 1 where the database is behind or ahead."
)
@click.option(
    "--to",
    type=click.Choice(STOPS),
    default=HEAD,
    help="Stop there for now: the version before goes on. A later run without it does the rest.",
)
def command(check: bool, to: str) -> None:
    """Bring the database to the code's version. A second time changes nothing."""
    settings = settings_here()
    if check:
        _check(settings, to)
        behind = False
    else:
        behind = bring_up_to_date(settings, to)
    click.echo("The database is migrated." if behind else "The database is up to date.")


def bring_up_to_date(settings: Settings, to: str = HEAD) -> bool:
    """Migrate as the role that owns the tables, and give the service's own role its rights.

    ``to``: a migration of `STOPS`. Return whether the database was behind it.
    """
    with database_of(of_the_owner(settings), migrated=False) as database:
        behind = not (is_current if to == HEAD else suffices)(database)
        if behind:
            _upgrade(database, to)
        let_in(database, settings)
    return behind


def _upgrade(database: Database, to: str) -> None:
    try:
        upgrade(database, to)
    except DBAPIError as error:
        if not is_in_use(error):
            raise
        raise click.ClickException("Tables are in use. Run it again.") from None


def of_the_owner(settings: Settings) -> Settings:
    """Return the settings with the address of the role that owns the tables."""
    return replace(settings, database_url=settings.migration_url or settings.database_url)


def let_in(database: Database, settings: Settings) -> None:
    """Make the service's own role, where it has one, unless it is there, and grant it what it needs.

    Of what either role says the server's log quotes no parameters from then on, where that may be asked for.
    """
    service = make_url(settings.sqlalchemy_url)
    if database.is_sqlite or service.username is None or not settings.migration_url:
        return
    with database.engine.begin() as connection:
        rows.make_role(connection, service.username, service.password)
        rows.grant(connection, service.username)
        for role in (service.username, connection.scalar(text("SELECT current_user"))):
            rows.hush(connection, role)


def _check(settings: Settings, to: str) -> None:
    """Raise ClickException where the database lacks migrations up to ``to``, or is ahead, and say which."""
    check_there(settings)
    with database_of(settings, migrated=False) as database:
        found = standing(database)
    if found.ahead:
        raise click.ClickException(
            f"The database is ahead: this version does not know its migration {found.found}. Run a newer one."
        )
    missing = [name for name in found.missing if name.partition("_")[0] <= to]
    if missing:
        again = "afterglow migrate" if to == HEAD else f"afterglow migrate --to {to}"
        raise click.ClickException(f"The database is behind. It lacks {', '.join(missing)}. Run: {again}")
