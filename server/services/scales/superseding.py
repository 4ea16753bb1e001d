"""One occurrence answered twice: the answer that was filled last counts.

Two phones may both have asked, offline. Nothing is refused or lost: both answers stay, one counts.
"""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import case, select

from server.models import Patient, QuestionnaireResponse
from server.services.scales.reliable_day import is_reliable
from server.services.work import Work


def settle(work: Work, patient: Patient, *occurrences: str | None) -> frozenset[date]:
    """Mark anew which answers to ``occurrences`` count. The caller holds the patient's row lock.

    Returns the local days of those that count now and did not, or the other way round.
    """
    touched = {
        day
        for occurrence in {named for named in occurrences if named is not None}
        for day in _settle(work, patient, occurrence)
    }
    work.session.flush()
    return frozenset(touched)


def _settle(work: Work, patient: Patient, occurrence: str) -> Iterator[date]:
    query = select(QuestionnaireResponse).where(
        QuestionnaireResponse.clinic_id == work.clinic_id,
        QuestionnaireResponse.patient_id == patient.id,
        QuestionnaireResponse.occurrence == occurrence,
        QuestionnaireResponse.deleted_at.is_(None),
    )
    # A clock that is off by days can't say which was last.
    relied = case((is_reliable(), 0), else_=1)
    newest_first = (relied, QuestionnaireResponse.occurred_at.desc(), QuestionnaireResponse.id.desc())
    for place, row in enumerate(work.session.scalars(query.order_by(*newest_first))):
        if row.superseded != (place > 0):
            row.superseded = place > 0
            # No new version, nobody said anything new; but phones hear of it with their next pull.
            patient.change_counter += 1
            row.sequence = patient.change_counter
            yield row.local_day
