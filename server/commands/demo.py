"""`afterglow demo`: load the demo clinic."""

import click

from jobs.demo import SLUG, demo_sign_ins, load, patients
from server.commands.progress import progress
from server.commands.start import started

_SEEN = (
    "Ana (depression) relapses: an alert and a suggested visit, with their evidence.",
    "Isolwen (depression) holds; Norrivo (PTSD) never responded.",
    "Kestrin (chronic pain) went silent ten days ago.",
    "Lumara (depression) answered the safety question with a plan yesterday: a P0 alert.",
)


@click.command("demo")
def command() -> None:
    """Load the demo clinic, once. A second time it says so and changes nothing."""
    with started() as around, progress("demo patients", patients()) as told:
        loaded = load(around.settings, around.database, around.now, told)
    if not loaded:
        click.echo("The demo clinic is there already; nothing was changed.")
    else:
        click.echo("The demo clinic is loaded. As Bo you find, under /v1/alerts and /v1/booking-suggestions:")
        for line in _SEEN:
            click.echo(f"  {line}")
    click.echo(f"Sign in (POST /v1/sign-ins) at clinic {SLUG} as:")
    for role, email, password in demo_sign_ins():
        click.echo(f"  {role:13} {email:24} {password}")
    click.echo(f"{around.settings.base_url}/docs shows every request.")
