"""`afterglow keys`: the keys that seal what patients say, and those a clinic's FHIR system knows us by."""

import json
from uuid import UUID

import click

from jobs import erase as erasing
from jobs.reseal import seal_all, seal_anew
from server.commands.start import Around, started, told_plainly
from server.gateways.scheduling.backend_services import new_service_key, service_key
from server.isolation import Extent
from server.services import clinic_key as clinic_keys
from server.services import resealing, vault
from server.services.people import clinic as clinics
from server.services.people import closing
from server.services.work import Work, system


@click.group("keys")
def command() -> None:
    """Change the keys that seal what patients say; make one to sign in to a FHIR system with."""


@command.command("rotate")
@click.option("--clinic", "slug", help="Short name of one clinic; every clinic without it.")
def rotate(slug: str | None) -> None:
    """Wrap the clinics' keys with the current master key and give each a fresh key for what comes.

    What was sealed before opens as before. The service may run.
    """
    with started() as around:
        for name, clinic_id in _clinics(around, slug):
            number, rewrapped = _rotate(around, clinic_id)
            click.echo(f"{name}: key {number} seals from now on; keys wrapped anew: {rewrapped}.")
    if slug is None:
        click.echo("Every key is under the current master key.")


@command.command("reseal")
@click.option("--clinic", "slug", help="Short name of one clinic; every clinic without it.")
def reseal(slug: str | None) -> None:
    """Seal anew now with the newest key, as a job does daily, what older ones sealed. The service may run."""
    with started() as around:
        for name, clinic_id in _clinics(around, slug):
            done = seal_anew(around.database, around.now, clinic_id)
            click.echo(f"{name}: {done} values sealed anew.")


@command.command("drop")
@click.option("--clinic", "slug", required=True, help="Short name of the clinic.")
def drop(slug: str) -> None:
    """Destroy a clinic's older keys, once nothing is sealed with them. Backups keep what opens them."""
    with started() as around, told_plainly():
        ((name, clinic_id),) = _clinics(around, slug)
        with around.database.read() as session:
            left = resealing.left(Work(session, around.now, system(clinic_id)))
        if left:
            raise click.ClickException(f"{left} values are under older keys. Run: afterglow keys reseal")
        with around.database.write() as session:
            gone = clinic_keys.drop_older(Work(session, around.now, system(clinic_id)))
        click.echo(f"{name}: older keys destroyed: {len(gone)}.")


@command.command("seal-contacts")
@click.option("--finish", is_flag=True, help="Forget the plain addresses; no older version may run.")
def seal_contacts(finish: bool) -> None:
    """Seal the e-mail addresses of clinics from before that, and index telephones. The service may run."""
    with started() as around:
        for name, clinic_id in _clinics(around, None):
            sealed, left = seal_all(around.database, around.now, clinic_id, finish)
            click.echo(f"{name}: {sealed} addresses sealed; still readable: {left}.")


@command.command("erase")
@click.option("--clinic", "slug", required=True, help="Short name of the clinic.")
@click.option("--yes", "name", required=True, help="The name of the clinic, to say that it is meant.")
def erase(slug: str, name: str) -> None:
    """Close a clinic for good: destroy its keys, so that nothing it has sealed can ever be read again."""
    with started() as around, told_plainly():
        ((_, clinic_id),) = _clinics(around, slug)
        with around.database.write() as session:
            gone = closing.erase(Work(session, around.now, system(clinic_id)), name)
        click.echo(f"{slug}: keys destroyed: {gone}. Running processes forget them within a minute.")
        if not erasing.note_clinic(around.settings, clinic_id, around.now):
            click.echo("It is not in the list of erasures yet: a job runner writes it there.", err=True)


@command.command("smart")
@click.argument("kid")
def smart(kid: str) -> None:
    """Make a key to sign in to a clinic's FHIR system with, known there as KID. It is kept nowhere here.

    The first line is private, for the connection's settings; the second one is to be registered there.
    """
    if not kid:
        raise click.UsageError("KID must name the key.")
    made = new_service_key(kid)
    click.echo(json.dumps(made))
    click.echo(json.dumps(service_key(made, kid, made["alg"]).public()))


def _clinics(around: Around, slug: str | None) -> list[tuple[str, UUID]]:
    with around.database.read(Extent.ALL) as session:
        if slug is None:
            return [(clinic.slug, clinic.id) for clinic in clinics.everyone(session)]
        clinic = clinics.by_slug(session, slug)
        if clinic is None:
            raise click.ClickException(f"There is no clinic {slug}.")
        return [(clinic.slug, clinic.id)]


def _rotate(around: Around, clinic_id: UUID) -> tuple[int, int]:
    """Return the number of the new key and how many were wrapped anew: one transaction, all or nothing."""
    with around.database.write() as session:
        work = Work(session, around.now, system(clinic_id))
        clinics.lock(work)  # of two rotations one waits: each key has one number
        return vault.add_key(work).key_id, vault.rewrap(work)
