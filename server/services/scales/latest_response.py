"""The newest response of a patient, as whoever plans a visit needs it; nothing is taken or judged here.

One of a day that can't be relied on is none: a clock that is a year ahead would hide all others for a year.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import bindparam, func, select

from server.models import QuestionnaireResponse
from server.services.asking import of_patient
from server.services.scales.reliable_day import is_reliable
from server.services.work import Work

_STANDING = (*of_patient(QuestionnaireResponse), QuestionnaireResponse.deleted_at.is_(None), is_reliable())
_NEWEST = (
    select(QuestionnaireResponse)
    .where(*_STANDING, QuestionnaireResponse.instrument == bindparam("instrument"))
    .order_by(QuestionnaireResponse.occurred_at.desc(), QuestionnaireResponse.id.desc())
    .limit(1)
)
_NEWEST_DAY = select(func.max(QuestionnaireResponse.local_day)).where(
    *_STANDING, QuestionnaireResponse.local_day <= bindparam("last")
)


def of(work: Work, patient_id: UUID, instrument: str) -> QuestionnaireResponse | None:
    """Return the response to ``instrument`` that was given last, in any version of it, or None.

    Its ``total`` is None where too much was left open; a deleted response does not count. Its answers
    stay sealed: who asks for it wants the score.
    """
    return next(iter(work.objects(_NEWEST, patient=patient_id, instrument=instrument)), None)


def day(work: Work, patient_id: UUID, today: date) -> date | None:
    """Return the local day, up to ``today``, of the newest response to any scale, or None."""
    return work.value(_NEWEST_DAY, patient=patient_id, last=today)
