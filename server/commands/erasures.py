"""`afterglow erasures`: erase a patient by command, and again after a restore."""

from pathlib import Path
from uuid import UUID

import click

from jobs import ending_list, erasure_list
from jobs import erase as erasing
from server.clinical.vocabulary import ASKED_REASONS, ErasureReason
from server.commands.start import Around, started, told_plainly
from server.isolation import Extent
from server.services.people import clinic as clinics
from server.services.people import erasure as erasures
from server.services.work import Work, system


@click.group("erasures")
def command() -> None:
    """Erase patients; list who was erased; erase them again after a restore."""


@command.command("erase")
@click.option("--clinic", "slug", required=True, help="Short name of the clinic.")
@click.option("--patient", "patient_id", type=click.UUID, required=True, help="Id of the patient.")
@click.option("--reason", type=click.Choice([one.value for one in ASKED_REASONS]), required=True)
@click.option("--yes", "name", required=True, help="The patient's name, to say that they are meant.")
def erase(slug: str, patient_id: UUID, reason: str, name: str) -> None:
    """Confirm a patient's erasure at once. The job runner deletes the rows within 24 h at the most."""
    with started() as around, told_plainly(), around.database.write() as session:
        work = Work(session, around.now, system(_clinic(around, slug)))
        asked = erasures.ask(work, patient_id, ErasureReason(reason))
        confirmed = erasures.confirm(work, patient_id, asked.version, name)
        click.echo(f"Erasure {confirmed.id} is confirmed; rows go from {confirmed.due_at} on.")


@command.command("list")
def show() -> None:
    """Print who was erased, a line each, as the list outside the database has it."""
    with started() as around:
        for one in erasing.known(around.database):
            click.echo(one.line())


@command.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--end-sign-ins", is_flag=True, help="End every way in, too: after a restore by other means.")
def apply(file: Path | None, end_sign_ins: bool) -> None:
    """Erase again whom a restored backup has brought back, by the list in FILE (AFTERGLOW_ERASURE_LIST).

    Consents withdrawn and accounts closed since, by the list of endings beside it, end again, too.
    """
    with started() as around:
        erased = file or erasure_list.file_of(around.settings)
        _name_missing(erased, ending_list.beside(erased))
        listed = erasure_list.read(erased)
        ended = ending_list.read(ending_list.beside(erased))
        back = erasing.apply(around.settings, around.database, around.now, listed)
        click.echo(f"In the list: {len(listed)}; there again, and erased: {back}.")
        again = ending_list.apply(around.database, around.now, ended)
        click.echo(f"In the list of endings: {len(ended)}; withdrawn or closed again: {again}.")
        if end_sign_ins:
            click.echo(ending_list.end_ways_in(around.database, around.settings, around.now))


def _name_missing(*files: Path) -> None:
    for one in files:
        if not one.exists():
            click.echo(f"THERE IS NO LIST {one}: what would stand in it is not applied.", err=True)


def _clinic(around: Around, slug: str) -> UUID:
    with around.database.read(Extent.DOOR) as session:
        clinic = clinics.by_slug(session, slug)
        if clinic is None:
            raise click.ClickException(f"There is no clinic {slug}.")
        return clinic.id
