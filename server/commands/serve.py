"""`afterglow serve`: the API."""

import click

from server import logs
from server.commands.ground import (
    check_port_is_free,
    check_takes_writes,
    check_texts,
    child_option,
    database_of,
    settings_here,
)
from server.readiness import warn_of_log
from server.settings import SettingsError


@click.command("serve")
@child_option
def command() -> None:
    """Start the API. It needs a migrated database; jobs run elsewhere (`afterglow work`)."""
    settings = settings_here()
    check_texts(settings)
    with database_of(settings) as database:
        check_takes_writes(settings)
        check_port_is_free(settings)
        logs.set_up(settings.log)
        warn_of_log(settings, database)
    # Imported late: the server takes a moment to load that refusals above need not wait for.
    from server.serve import serve

    try:
        serve(settings)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
