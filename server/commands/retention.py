"""`afterglow retention`: what has run out, and let it go."""

import click

from jobs import retention
from jobs.around import Around
from server.commands.start import started


@click.command("retention")
@click.option("--dry-run", is_flag=True, help="only say what has run out, change nothing")
def command(dry_run: bool) -> None:
    """Say for each clinic and kind of data how much has run out and what a legal hold keeps; then delete it.

    Records that wait have run out, too: an urgent alert is open, or a visit is booked. The job runner does
    so daily.
    """
    with started() as around:
        reported = retention.report(around.database, around.now, around.settings.record_years)
        for slug, due in ((slug, due) for slug, found in reported for due in found):
            waiting = f", waiting: {due.waiting}" if due.waiting else ""
            click.echo(f"{slug}: {due.kind}: run out: {due.rows}, held: {due.held}{waiting}")
        if dry_run:
            click.echo("Dry run: nothing was changed.")
            return
        gone = retention.run(Around(around.database, around.settings, {}), around.now)
        click.echo(f"Deleted: {gone}.")
