"""Sign out everywhere: whatever an account has open ends."""

from uuid import UUID

from server.services.journal import export_link as export_links
from server.services.people import sign_in as sign_ins
from server.services.people import ticket as tickets
from server.services.work import Work


def everywhere(work: Work, account_id: UUID) -> None:
    """End every half-done and every open sign-in of an account, and the export links it asked for."""
    # Tickets first: who is turning one into a sign-in is waited for, and that sign-in is then seen.
    tickets.end_all(work, account_id)
    sign_ins.end_all(work, account_id)
    export_links.end_asked_by(work, account_id)


def elsewhere(work: Work) -> None:
    """End the same of the actor's own account, but for the sign-in they act with."""
    assert work.actor.account_id is not None
    tickets.end_all(work, work.actor.account_id)
    sign_ins.end_others(work)
    export_links.end_asked_by(work, work.actor.account_id)
