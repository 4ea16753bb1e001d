"""One occurrence answered twice: the answer that was filled last counts.

Two phones may both have asked, offline. Nothing is refused or lost: both answers stay, one counts. One that
was left half open, or that a clock off by days has dated, counts only where there is no other.
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
    is_whole = QuestionnaireResponse.total.is_not(None)  # a profile has no total, and its answers are alike
    lesser = (case((holds, 0), else_=1) for holds in (is_reliable(), is_whole))
    newest_first = (*lesser, QuestionnaireResponse.occurred_at.desc(), QuestionnaireResponse.id.desc())
    for place, row in enumerate(work.session.scalars(query.order_by(*newest_first))):
        if row.superseded != (place > 0):
            row.superseded = place > 0
            # No new version, nobody said anything new; but phones hear of it with their next pull.
            patient.change_counter += 1
            row.sequence = patient.change_counter
            yield row.local_day
