"""Whether what a file holds was reported by somebody else: a wrong id would mix two people's records."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from server.models import Entry, QuestionnaireResponse
from server.services.work import Work

# So many are looked for: one that is found is enough.
_SAMPLE = 50


def holds_entry(work: Work, patient_id: UUID, ids: Sequence[UUID]) -> bool:
    """Return whether one of the first 50 entries of ``ids`` is another patient's of the clinic."""
    return _holds(work, Entry, patient_id, ids)


def holds_response(work: Work, patient_id: UUID, ids: Sequence[UUID]) -> bool:
    """Return whether one of the first 50 filled scales of ``ids`` is another patient's of the clinic."""
    return _holds(work, QuestionnaireResponse, patient_id, ids)


def _holds(
    work: Work, row: type[Entry | QuestionnaireResponse], patient_id: UUID, ids: Sequence[UUID]
) -> bool:
    theirs = row.clinic_id == work.clinic_id, row.patient_id != patient_id, row.id.in_(ids[:_SAMPLE])
    return work.session.scalars(select(row.id).where(*theirs).limit(1)).first() is not None
