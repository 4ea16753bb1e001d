"""`afterglow research-export`: a file of the patients who agreed to research."""

from pathlib import Path

import click

from jobs.research_export import lines
from jobs.unfinished import whole
from server.commands.start import started
from server.commands.stopping import stopped_like_an_error


@click.command("research-export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--clinic", "slug", required=True, help="short name of the clinic")
def command(file: Path, slug: str) -> None:
    """Write FILE: numbers by day of whoever agreed, without name, date or a word of their own."""
    with (
        stopped_like_an_error(),
        started() as around,
        whole(file, replaces=True) as draft,
        draft.open("w", encoding="utf-8") as out,
    ):
        written = sum(out.write(line) > 0 for line in lines(around.database, slug, around.now))
    click.echo(f"{written - 1} rows written. The notice in the first line must stay with every copy.")
