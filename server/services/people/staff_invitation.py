"""Invite a colleague or a system of the clinic."""

from server.services.people import account as accounts
from server.services.people import invitation as invitations
from server.services.people.invitation import Invited, Invitee
from server.services.work import Work


def invite(work: Work, invitee: Invitee) -> Invited:
    """Invite ``invitee``. Raises TooMany, and NotSignedIn where whoever invites was shut out a moment ago.

    Who closes their account ends what they have invited, and would not see this.
    """
    accounts.hold_own(work)
    return invitations.invite(work, invitee)
