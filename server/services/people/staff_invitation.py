"""Invite a colleague or a system of the clinic."""

from server.services.people import account as accounts
from server.services.people import caregiver_account
from server.services.people import invitation as invitations
from server.services.people.invitation import Invited, Invitee
from server.services.work import Work


def invite(work: Work, invitee: Invitee) -> Invited:
    """Invite ``invitee``. Raises TooMany, and NotSignedIn where whoever invites was shut out a moment ago.

    Who closes their account ends what they have invited, and would not see this. Raises AddressTaken where
    nobody could ever come in: an address opens one account.
    """
    accounts.hold_own(work)
    caregiver_account.give_way(work, invitee.email)
    accounts.check_is_free(work, invitee.email)
    return invitations.invite(work, invitee)
