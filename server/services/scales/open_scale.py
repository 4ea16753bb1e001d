"""What a scale that was left too open for a total comes to, by what was answered in it."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import bindparam, select

from server.clinical.instruments.catalog import edition_of
from server.clinical.instruments.scoring import at_least
from server.models import QuestionnaireResponse
from server.services import vault
from server.services.asking import between, of_patient
from server.services.scales.reliable_day import is_reliable
from server.services.work import Work

_OPEN = select(QuestionnaireResponse).where(
    *of_patient(QuestionnaireResponse),
    QuestionnaireResponse.instrument == bindparam("instrument"),
    QuestionnaireResponse.total.is_(None),
    QuestionnaireResponse.deleted_at.is_(None),
    is_reliable(),
    between(QuestionnaireResponse.local_day),
)


def least_total(row: QuestionnaireResponse) -> float | None:
    """Return what the total of an opened response is at the least; None where answers do not add up."""
    made = edition_of(row.instrument, row.instrument_version, row.locale)
    return at_least(made, {item: value for item, value in row.answers.items() if value is not None})


def least_totals(
    work: Work, patient_id: UUID, instrument: str, span: tuple[date, date]
) -> Mapping[date, float]:
    """Return the highest of them on each day of ``span`` that has one."""
    values = {"patient": patient_id, "instrument": instrument, "first": span[0], "last": span[1]}
    found: dict[date, float] = {}
    for row in vault.opened(work, work.objects(_OPEN, **values)):
        least = least_total(row)
        if least is not None:
            found[row.local_day] = max(least, found.get(row.local_day, least))
    return found
