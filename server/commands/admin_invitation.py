"""What commands that invite an administrator share: who is invited, and what is printed once."""

import re

import click

from server.clinical.plain_text import ADDRESS, ANY_BARRED, ANY_SEEN
from server.clinical.vocabulary import Role
from server.services.people.invitation import VALID_FOR, Invited, Invitee

LONGEST_NAME = 200
_HOUR = 3600


def administrator(name: str, email: str) -> Invitee:
    """Return whom to invite; ClickException for a name or an address that is none."""
    # What the sign-in would not take must not become an account.
    if not re.fullmatch(ADDRESS, email.strip()):
        raise click.ClickException("The administrator's address must be one of e-mail, in ASCII characters.")
    check_name(name)
    return Invitee(Role.CLINIC_ADMIN, name.strip(), email.strip())


def check_name(name: str) -> None:
    """Raise ClickException for a name that is empty or too long, or that the API would not take."""
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise click.ClickException(f"A name has 1-{LONGEST_NAME} characters.")
    if ANY_BARRED.search(name) or not ANY_SEEN.search(name):
        raise click.ClickException("A name is one line of text, without control characters.")


def show(invited: Invited) -> None:
    """Print code and word. Nobody can read them again."""
    hours, name = int(VALID_FOR.total_seconds()) // _HOUR, invited.invitation.name
    click.echo(f"Invitation code of {name} (valid {hours} hours, shown only now): {invited.code}")
    click.echo(f"Word to tell them on another way, such as by telephone: {invited.word}")
