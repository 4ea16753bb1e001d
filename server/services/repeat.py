"""What was stored before and corrected since, pushed again because its answer was lost.

It is no conflict: the phone must hear what it would have heard then, the notice too, and must not push
its old text over the correction of it. None where it was never stored like this.
"""

from dataclasses import replace

from server.models import Entry, EntryRevision, QuestionnaireResponse, QuestionnaireResponseRevision
from server.services import vault
from server.services.incoming import Incoming, plain
from server.services.journal import Journal, Receipt
from server.services.questionnaire_journal import QuestionnaireJournal, ResponseReceipt, plain_response


def version_of(incoming: Incoming) -> int:
    """Return the version that ``incoming`` made, if it was stored."""
    return (incoming.base_version or 0) + 1


def of_entry(journal: Journal, incoming: Incoming) -> Receipt | None:
    """Return the receipt an entry had when it was stored like this."""
    key = (*journal.key(incoming.id), version_of(incoming))
    revision = journal.work.session.get(EntryRevision, key)
    if revision is None or vault.opened(journal.work, [revision])[0].content != plain(incoming.content):
        return None
    then = Entry(**journal.columns(incoming))
    return Receipt("duplicate", journal.known[incoming.id], journal.flags(then), journal.patient)


def of_response(journal: QuestionnaireJournal, incoming: Incoming) -> ResponseReceipt | None:
    """Return the receipt a response had. Raises Invalid where its edition is offered no more."""
    clinic_id, patient_id, row_id = key = journal.key(incoming.id)
    revision = journal.work.session.get(QuestionnaireResponseRevision, (*key, version_of(incoming)))
    if revision is None:
        return None
    if vault.opened(journal.work, [revision])[0].content != plain_response(incoming.content):
        return None
    columns = journal.columns(incoming)
    then = QuestionnaireResponse(clinic_id=clinic_id, patient_id=patient_id, id=row_id, **columns)
    vault.opened(journal.work, [then])
    return replace(journal.receipt("duplicate", then), response=journal.known[incoming.id])
