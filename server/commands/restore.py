"""`afterglow restore`: put a backup back, into an empty database unless said otherwise."""

from datetime import UTC, datetime
from pathlib import Path

import click

from jobs.audit_verify import Verified, told
from jobs.backup import Manifest
from jobs.problem import Problem
from jobs.restore import Restored, Wish, is_short, restore
from server.commands.ground import database_of, settings_here
from server.commands.migrate import let_in, of_the_owner
from server.commands.progress import progress
from server.commands.stopping import stopped_like_an_error
from server.migrations import knows, upgrade


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Lose what is in the database now, all tables of its owner.")
@click.option(
    "--without-lists",
    is_flag=True,
    help="There are no lists of erasures and endings: nobody was erased or left since, or they are lost.",
)
@click.option("--while-in-use", is_flag=True, help="Others are connected, and none of them can write.")
@click.pass_context
def command(
    context: click.Context, file: Path, replace: bool, without_lists: bool, while_in_use: bool
) -> None:
    """Put FILE back. Stop the API and the job runner first.

    The whole file is proven before anything changes. Exits with 1 where an audit chain does not hold.
    """
    settings = settings_here()
    wish = Wish(file, replace, upgrade, knows, let_in, without_lists, while_in_use)
    with (
        stopped_like_an_error(),
        database_of(of_the_owner(settings), migrated=False, unfinished=True) as database,
        progress("proving, bytes", file.stat().st_size) as tell,
    ):
        try:
            done = restore(database, settings, wish, datetime.now(UTC), tell)
        except Problem as problem:
            raise click.ClickException(str(problem)) from None
    for line in _said(done):
        click.echo(line)
    bad = (one for one in done.verdicts if one.found and not is_short(one, done.manifest))
    context.exit(1 if any(bad) else 0)


def _said(done: Restored) -> list[str]:
    rows = sum(done.manifest.state.counts.values())
    return [
        f"Restored {rows} rows as they were at {done.manifest.made_at}.",
        *done.done,
        *(_judged(one, done.manifest) for one in done.verdicts),
    ]


def _judged(one: Verified, manifest: Manifest) -> str:
    name = f"Audit log of clinic {one.clinic_id}"
    if one.found is None:
        return f"{name}: holds, {one.position} events."
    if is_short(one, manifest):
        return f"{name}: {one.position} events; what came after the backup is lost, and noted as such."
    return f"{name}: DOES NOT HOLD, {told(one.found)}."
