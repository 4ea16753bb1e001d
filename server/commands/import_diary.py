"""`afterglow import-diary`: bring in a diary that was kept elsewhere."""

from pathlib import Path
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table

from jobs import whose_diary
from jobs.import_diary import STORED_OTHERWISE, Outcome, Plan, prepare, steps, summaries, write
from server.commands.files import read_bytes
from server.commands.map_option import MAP, MAP_HELP, map_text
from server.commands.progress import progress
from server.commands.same_person import same_person_option
from server.commands.start import started
from server.diary_import.table import LARGEST_BYTES

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import-diary")
@click.argument("file", type=_FILE)
@click.option("--map", "map_name", type=MAP, required=True, help=MAP_HELP)
@click.option("--patient", "patient_id", type=click.UUID, required=True, help="id of the patient")
@click.option("--clinic", "slug", required=True, help="short name of the clinic")
@click.option("--dry-run", is_flag=True, help="show what would be done, change nothing")
@same_person_option
def command(file: Path, map_name: str, patient_id: UUID, slug: str, dry_run: bool, same_person: bool) -> None:
    """Import a diary FILE (CSV): day by day, with the same safety check and watch as the API."""
    with started() as around:
        files = (map_text(map_name), read_bytes(file, LARGEST_BYTES))
        plan = prepare(around.database, (slug, patient_id), files, around.now, Path(map_name).stem)
        if not same_person:
            whose_diary.check(around.database, plan)
        _show(plan)
        if dry_run:
            _show_left_out(plan)
            click.echo("Dry run: nothing was changed.")
            return
        with progress("entries", steps(plan)) as told:
            outcome = write(around.database, plan, told)
        _tell(plan, outcome)


def _show(plan: Plan) -> None:
    rows, refusals = plan.mapped.rows, plan.mapped.refusals
    for refusal in refusals:
        click.echo(f"line {refusal.line}: {'; '.join(refusal.reasons)}")
    span = f", {rows[0].at.date()} to {rows[-1].at.date()}" if rows else ""
    click.echo(f"{len(rows)} rows can be taken{span}; {len(refusals)} can't; sessions: {len(plan.sessions)}.")
    if plan.mapped.others:
        count = sum(plan.mapped.others.values())
        click.echo(f"{count} rows are of kinds that the map does not speak of.")
    table = Table("item", "values", "least", "mean", "greatest")
    for item in summaries(rows):
        table.add_row(item.key, str(item.count), *(f"{v:.2f}" for v in (item.low, item.mean, item.high)))
    if table.row_count:
        Console().print(table)


def _show_left_out(plan: Plan) -> None:
    """Name what the map has no place for, so that it can be given one in a copy."""
    if plan.mapped.unused:
        click.echo(f"columns the map does not speak of: {', '.join(plan.mapped.unused)}")
    for kind, count in plan.mapped.others.items():
        click.echo(f"  {count} x {kind}")


def _tell(plan: Plan, outcome: Outcome) -> None:
    tally = outcome.tally
    for line in outcome.refused:
        click.echo(f"line {line}: {STORED_OTHERWISE}")
    refused = len(plan.mapped.refusals) + len(outcome.refused)
    click.echo(
        f"{tally.created} imported, {tally.duplicates} there already, {refused} refused; "
        f"sessions recorded: {tally.sessions}, alerts opened: {len(outcome.opened)}."
    )
    for alert in outcome.opened:
        click.echo(f"  {alert.family} on {alert.day}")
