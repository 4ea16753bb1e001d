"""What was stored before and corrected since, sent again because its answer was lost.

It is no conflict: a phone that believed so would push its old text over the correction of it. And it
is no news: what it says about danger was acted on when it came in.
"""

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from server.models import EntryRevision, QuestionnaireResponseRevision
from server.services import vault
from server.services.journal.incoming import Incoming, plain, plain_response
from server.services.work import Work

R = TypeVar("R", EntryRevision, QuestionnaireResponseRevision)


def version_of(incoming: Incoming) -> int:
    """Return the version that ``incoming`` made, if it was stored."""
    return (incoming.base_version or 0) + 1


def of_entry(work: Work, patient_id: UUID, incoming: Incoming) -> bool:
    """Return whether that version of the entry says the same."""
    return _said(work, EntryRevision, patient_id, incoming) == plain(incoming.content)


def of_response(work: Work, patient_id: UUID, incoming: Incoming) -> bool:
    """Return whether that version of the response says the same."""
    said = _said(work, QuestionnaireResponseRevision, patient_id, incoming)
    return said == plain_response(incoming.content)


def _said(
    work: Work,
    table: type[R],
    patient_id: UUID,
    incoming: Incoming,
) -> Mapping[str, Any] | None:
    key = (work.clinic_id, patient_id, incoming.id, version_of(incoming))
    found = work.session.get(table, key)
    return None if found is None else vault.opened(work, [found])[0].content
