"""Sign out everywhere: whatever an account has open ends."""

from uuid import UUID

from server.services.journal import export_link as export_links
from server.services.messages import contact_point as contact_points
from server.services.people import sign_in as sign_ins
from server.services.people import ticket as tickets
from server.services.work import Work


def everywhere(work: Work, account_id: UUID) -> None:
    """End every half-done and every open sign-in of an account, its devices, and its export links.

    A device that is signed out hears nothing more: it may be a lost one, or that of whoever had the account.
    """
    # Tickets first: who is turning one into a sign-in is waited for, and that sign-in is then seen.
    tickets.end_all(work, account_id)
    sign_ins.end_all(work, account_id)
    contact_points.end_devices(work, account_id)
    export_links.end_asked_by(work, account_id)


def elsewhere(work: Work) -> None:
    """End the same of the actor's own account, but for the sign-in they act with.

    Which device that is nobody can tell: it registers itself again.
    """
    assert work.actor.account_id is not None
    tickets.end_all(work, work.actor.account_id)
    sign_ins.end_others(work)
    contact_points.end_devices(work, work.actor.account_id)
    export_links.end_asked_by(work, work.actor.account_id)
