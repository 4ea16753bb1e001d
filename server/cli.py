"""The command `afterglow`."""

import click

from server.commands import demo, import_diary, simulate, watch_report


@click.group()
def main() -> None:
    """Afterglow, the backend of the journal between treatment sessions."""


for module in (demo, import_diary, simulate, watch_report):
    main.add_command(module.command)
