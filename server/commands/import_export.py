"""`afterglow import-export`: take back what a patient took away."""

from pathlib import Path
from uuid import UUID

import click

from jobs import whose_export
from jobs.import_export import HISTORY_OTHERWISE, PLAN_OTHERWISE, prepare, steps, write
from server.commands.files import read_bytes
from server.commands.progress import progress
from server.commands.same_person import same_person_option
from server.commands.start import started
from server.diary_import.export_file import LARGEST_EXPORT


@click.command("import-export")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--patient", "patient_id", type=click.UUID, required=True, help="id of the patient")
@click.option("--clinic", "slug", required=True, help="short name of the clinic")
@click.option("--dry-run", is_flag=True, help="check the file, change nothing")
@same_person_option
def command(file: Path, patient_id: UUID, slug: str, dry_run: bool, same_person: bool) -> None:
    """Import an export FILE (JSON, CSV or FHIR): what was reported, and what else its format holds."""
    with started() as around:
        plan = prepare(around.database, (slug, patient_id), read_bytes(file, LARGEST_EXPORT), around.now)
        if not same_person:
            whose_export.check(around.database, plan)
        held = plan.file
        click.echo(
            f"The file holds {len(held.revisions)} versions of entries and scales, "
            f"courses: {len(held.courses)}, sessions: {len(held.sessions)}, zone changes: {len(held.zones)}."
        )
        if held.lacking:
            click.echo(f"Not in a file of this format: {', '.join(held.lacking)}.")
        if dry_run:
            click.echo("Dry run: nothing was changed.")
            return
        with progress("steps", steps(plan)) as told:
            taken = write(around.database, plan, told)
    for entry_id in sorted(taken.refused):
        click.echo(f"entry {entry_id}: {HISTORY_OTHERWISE}")
    if taken.plan_refused:
        click.echo(f"check-in plan: {PLAN_OTHERWISE}")
    click.echo(
        f"{taken.revisions} versions imported, {taken.there_already} things there already, "
        f"entries refused: {len(taken.refused)}; courses: {taken.courses}, sessions: {taken.sessions}, "
        f"zone changes: {taken.zone_changes}; check-in plan taken: {'yes' if taken.plan else 'no'}."
    )
