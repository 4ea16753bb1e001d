"""`afterglow backup`: an encrypted copy of the whole database, while everything runs."""

from pathlib import Path

import click

from jobs.backup import backup
from server.commands.progress import progress
from server.commands.start import started
from server.commands.stopping import stopped_like_an_error
from server.isolation import Extent
from server.services import backup_state


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def command(file: Path) -> None:
    """Write everything into FILE, encrypted with AFTERGLOW_BACKUP_KEY. The service may run meanwhile."""
    with stopped_like_an_error(), started() as around:
        with around.database.read(Extent.ALL) as session:
            size = backup_state.size(session)
        with progress("backup, bytes", size) as tell:
            made = backup(around.database, around.settings, file, around.now, tell)
    rows = sum(made.state.counts.values())
    click.echo(f"{file}: {rows} rows of {len(made.state.ends)} clinics, {file.stat().st_size} bytes.")
