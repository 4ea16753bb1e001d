"""`afterglow clinic-add`: open a clinic and invite its first administrator."""

from datetime import UTC, datetime
from typing import Any

import click

from server.clinical.countries import countries
from server.clinical.vocabulary import Language
from server.clinical.wall_clock import DAY_START, EARLIEST_START, LATEST_START
from server.clinical.zones import ZONES
from server.commands.admin_invitation import administrator, check_name, show
from server.commands.ground import database_of, settings_here
from server.services.errors import ServiceError
from server.services.people import clinic as clinics
from server.services.people import invitation as invitations
from server.services.people.invitation import Invited, Invitee
from server.services.work import Work, system


@click.command("clinic-add")
@click.option("--slug", required=True, help="Short name typed to sign in: a-z, 0-9 and -, 2-64 characters.")
@click.option("--name", required=True, help="Name of the clinic.")
@click.option("--zone", required=True, help="IANA time zone of its office hours, such as Europe/Oslo.")
@click.option("--country", required=True, help="Two capital letters (ISO 3166), such as NO.")
@click.option(
    "--day-start",
    type=click.IntRange(EARLIEST_START, LATEST_START),
    default=DAY_START,
    show_default=True,
    help="Hour at which a patient's day starts where they are.",
)
@click.option(
    "--language",
    type=click.Choice([language.value for language in Language]),
    default=Language.EN.value,
    show_default=True,
    help="In which messages to its staff and patients are written.",
)
@click.option("--admin", required=True, help="Name of the person who will administer it.")
@click.option("--admin-email", required=True, help="The address that person will sign in with.")
def command(
    slug: str,
    name: str,
    zone: str,
    country: str,
    day_start: int,
    language: str,
    admin: str,
    admin_email: str,
) -> None:
    """Open a clinic and print the invitation code of its first administrator and a word, once."""
    _check(zone, country)
    check_name(name)
    invitee = administrator(admin, admin_email)
    values: dict[str, Any] = {"slug": slug, "name": name.strip(), "zone": zone, "country": country}
    values |= {"day_start": day_start, "language": Language(language)}
    invited = _add(values, invitee)
    click.echo(f"Clinic {slug} is open.")
    show(invited)


def _check(zone: str, country: str) -> None:
    if zone not in ZONES:
        raise click.ClickException(f"There is no time zone {zone!r}. Name one like Europe/Oslo.")
    if country not in countries():
        raise click.ClickException("The country must be an ISO 3166 code of two capital letters, such as NO.")


def _add(values: dict[str, Any], admin: Invitee) -> Invited:
    with database_of(settings_here()) as database, database.write() as session:
        work = Work(session, datetime.now(UTC), system(clinics.new_clinic_id()))
        try:
            clinics.create(work, **values)
        except ServiceError as error:
            raise click.ClickException(error.detail) from None
        return invitations.invite(work, admin)
