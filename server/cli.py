"""The command `afterglow`."""

import click

from server.commands import demo, simulate


@click.group()
def main() -> None:
    """Afterglow, the backend of the journal between treatment sessions."""


for command in (demo.command, simulate.command):
    main.add_command(command)
