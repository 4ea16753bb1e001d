"""The command `afterglow`."""

import click

from server.commands import simulate


@click.group()
def main() -> None:
    """Afterglow, the backend of the journal between treatment sessions."""


main.add_command(simulate.command)
