"""What was stored before and corrected since, pushed again because its answer was lost.

It is no conflict: a phone that believed so would push its old text over the correction of it.
"""

from server.models import EntryRevision, QuestionnaireResponseRevision
from server.services import vault
from server.services.incoming import Incoming, plain
from server.services.journal import Journal
from server.services.questionnaire_journal import QuestionnaireJournal, plain_response


def version_of(incoming: Incoming) -> int:
    """Return the version that ``incoming`` made, if it was stored."""
    return (incoming.base_version or 0) + 1


def of_entry(journal: Journal, incoming: Incoming) -> bool:
    """Return whether that version of the entry says the same."""
    key = (journal.work.clinic_id, journal.patient.id, incoming.id, version_of(incoming))
    found = journal.work.session.get(EntryRevision, key)
    if found is None:
        return False
    return bool(vault.opened(journal.work, [found])[0].content == plain(incoming.content))


def of_response(journal: QuestionnaireJournal, incoming: Incoming) -> bool:
    """Return whether that version of the response says the same."""
    key = (journal.work.clinic_id, journal.patient.id, incoming.id, version_of(incoming))
    found = journal.work.session.get(QuestionnaireResponseRevision, key)
    if found is None:
        return False
    return bool(vault.opened(journal.work, [found])[0].content == plain_response(incoming.content))
