"""`afterglow audit`: does the audit log still hold, and where do its chains end."""

from pathlib import Path
from uuid import UUID

import click

from jobs.audit_verify import Verified, told, verify
from server.commands.start import Around, started
from server.isolation import Extent
from server.services.audit import anchor
from server.services.people import clinic as clinics
from server.services.work import Work, system

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("audit")
def command() -> None:
    """Verify the audit log, and print what to keep elsewhere to verify it by."""


@command.command("verify")
@click.option("--clinic", "slug", help="Short name of one clinic; every clinic without it.")
@click.option(
    "--anchor", "files", type=FILE, multiple=True, help="Ends noted elsewhere, beside our own file."
)
@click.pass_context
def verify_command(context: click.Context, slug: str | None, files: tuple[Path, ...]) -> None:
    """Walk the chains, hold them against the ends noted outside, and name the first bad row.

    Exits with 1 where a chain does not hold.
    """
    with started() as around:
        names = _names(around, slug)
        only = next(iter(names)) if slug else None
        known = (around.settings.anchor_file, *files)
        verdicts = list(verify(around.database, around.now, known, only))
    for one in verdicts:
        click.echo(f"{names.get(one.clinic_id, one.clinic_id)}: {_said(one)}")
    context.exit(1 if any(one.found for one in verdicts) else 0)


@command.command("anchor")
@click.option("--clinic", "slug", help="Short name of one clinic; every clinic without it.")
def anchor_command(slug: str | None) -> None:
    """Print where the chains end now, a line a clinic: keep it where the database's rulers can't reach."""
    with started() as around:
        for end in [_end(around, clinic_id) for clinic_id in _names(around, slug)]:
            click.echo(anchor.as_line(end) + "\n" if end else "", nl=False)


def _end(around: Around, clinic_id: UUID) -> anchor.Anchor | None:
    with around.database.read() as session:
        return anchor.take(Work(session, around.now, system(clinic_id)))


def _said(one: Verified) -> str:
    waiting = f", {one.unsealed} not sealed yet" if one.unsealed else ""
    if one.found is not None:
        return f"DOES NOT HOLD: {told(one.found)}. Events in the chain: {one.position}{waiting}"
    noted = f"noted outside up to {one.anchored}" if one.anchored else "nothing noted outside"
    return f"holds, {one.position} events, {noted}{waiting}"


def _names(around: Around, slug: str | None) -> dict[UUID, str]:
    with around.database.read(Extent.ALL) as session:
        names = {clinic.id: clinic.slug for clinic in clinics.ever(session)}
    wanted = {key: name for key, name in names.items() if slug in (None, name)}
    if slug is not None and not wanted:
        raise click.ClickException(f"There is no clinic {slug}.")
    return wanted
