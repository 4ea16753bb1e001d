"""`afterglow keys`: the keys that seal what patients say, and those a clinic's FHIR system knows us by."""

import json
from uuid import UUID

import click

from server.commands.start import Around, started
from server.gateways.scheduling.backend_services import new_service_key, service_key
from server.isolation import Extent
from server.services import vault
from server.services.people import clinic as clinics
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


@command.command("smart")
@click.argument("kid")
def smart(kid: str) -> None:
    """Make a key to sign in to a clinic's FHIR system with, known there as KID. It is kept nowhere here.

    The first line is private, for the connection's settings; the second one is to be registered there.
    """
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
