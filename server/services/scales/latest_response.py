"""The newest response of a patient, as whoever plans a visit needs it; nothing is taken or judged here.

One of a day that can't be relied on was given when it came in: by its own word a clock that is a year ahead
would hide all others for a year.
"""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Float, bindparam, case, func, select, type_coerce

from server.models import QuestionnaireResponse
from server.services.asking import of_patient
from server.services.scales.reliable_day import is_reliable
from server.services.scales.whole_scale import is_whole
from server.services.work import Work

_STANDING = (*of_patient(QuestionnaireResponse), QuestionnaireResponse.deleted_at.is_(None))
_GIVEN_AT = case((is_reliable(), QuestionnaireResponse.occurred_at), else_=QuestionnaireResponse.received_at)
_NEWEST = (
    select(
        QuestionnaireResponse.local_day,
        QuestionnaireResponse.received_at,
        type_coerce(QuestionnaireResponse.total, Float),
        is_reliable(),
    )
    .where(*_STANDING, QuestionnaireResponse.instrument == bindparam("instrument"))
    # One that was left too open for a total takes nothing back of what the one before said.
    .where(QuestionnaireResponse.total.is_not(None))
    .order_by(_GIVEN_AT.desc(), QuestionnaireResponse.id.desc())
    .limit(1)
)
_NEWEST_DAY = select(func.max(QuestionnaireResponse.local_day)).where(
    *_STANDING, is_reliable(), is_whole(), QuestionnaireResponse.local_day <= bindparam("last")
)


class Given(NamedTuple):
    """A response: the day it names, when it came in, its total.

    ``is_reliable``: whether the day can be relied on.
    """

    local_day: date
    received_at: datetime
    total: float
    is_reliable: bool


def of(work: Work, patient_id: UUID, instrument: str) -> Given | None:
    """Return the response to ``instrument`` that was given last, in any version of it, or None.

    A deleted response does not count, nor one without a total.
    """
    found = work.rows(_NEWEST, patient=patient_id, instrument=instrument)
    return next((Given(*row) for row in found), None)


def day(work: Work, patient_id: UUID, today: date) -> date | None:
    """Return the local day, up to ``today``, of the newest response to any scale, or None.

    One that was left too open for its total does not count.
    """
    return work.value(_NEWEST_DAY, patient=patient_id, last=today)
