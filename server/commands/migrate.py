"""`afterglow migrate`: bring the database to the code's version."""

import click

from server.commands.ground import database_of, settings_here
from server.migrations import is_current, upgrade


@click.command("migrate")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 where the database is behind.")
def command(check: bool) -> None:
    """Bring the database to the code's version. A second time changes nothing."""
    with database_of(settings_here(), migrated=False) as database:
        behind = not is_current(database)
        if check and behind:
            raise click.ClickException("The database is behind. Run: afterglow migrate")
        if behind:
            upgrade(database)
    click.echo("The database is migrated." if behind else "The database is up to date.")
