"""Who at the clinic hears of its visits: those who make appointments, and who approved the one at hand."""

from collections.abc import Sequence

from server.clinical.vocabulary import Role
from server.models import Account, BookingSuggestion
from server.services.people import account as accounts
from server.services.work import Work


def arrangers(work: Work) -> Sequence[Account]:
    """Return the coordinators; every clinician where none works here."""
    return accounts.recipients(work, {Role.COORDINATOR}) or accounts.recipients(work, {Role.CLINICIAN})


def concerned(work: Work, suggestion: BookingSuggestion) -> Sequence[Account]:
    """Return the coordinators and who decided about ``suggestion``, each once.

    Every clinician where none of them works here any more.
    """
    decided = accounts.working(work, [] if suggestion.decided_by is None else [suggestion.decided_by])
    coordinators = accounts.recipients(work, {Role.COORDINATOR})
    found = {account.id: account for account in (*decided.values(), *coordinators)}
    return list(found.values()) or accounts.recipients(work, {Role.CLINICIAN})
