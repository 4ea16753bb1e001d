"""`afterglow admin-invite`: a clinic without an administrator who gets in is given another one."""

import click

from server.commands.admin_invitation import administrator, show
from server.commands.start import Around, started, told_plainly
from server.isolation import Extent
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import invitation as invitations
from server.services.people.invitation import Invited, Invitee
from server.services.work import Work, system


@click.command("admin-invite")
@click.option("--clinic", "slug", required=True, help="Short name of the clinic.")
@click.option("--admin", required=True, help="Name of the person who will administer it.")
@click.option("--admin-email", required=True, help="The address that person will sign in with.")
def command(slug: str, admin: str, admin_email: str) -> None:
    """Invite one more administrator of a clinic and print the invitation code and a word, once.

    For a clinic whose only one is gone, never came in, or lost the second factor. Make sure who asks.
    """
    invitee = administrator(admin, admin_email)
    with started() as around, told_plainly():
        show(_invited(around, slug, invitee))


def _invited(around: Around, slug: str, invitee: Invitee) -> Invited:
    with around.database.read(Extent.DOOR) as session:
        clinic = clinics.by_slug(session, slug)
        if clinic is None or clinic.erased_at is not None or slug == clinics.OPERATIONS:
            raise click.ClickException(f"There is no clinic {slug} to administer.")
    with around.database.write() as session:
        work = Work(session, around.now, system(clinic.id))
        accounts.check_is_free(work, invitee.email)
        return invitations.invite(work, invitee)
