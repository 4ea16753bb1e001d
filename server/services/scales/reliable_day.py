"""Whether the day of a filled scale can be relied on: as for an entry, a clock off by days names none."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from server.models import QuestionnaireResponse
from server.services.asking import of_patient
from server.services.journal.incoming import CLOCK_TRUSTED
from server.services.work import Work

_SECOND = timedelta(seconds=1)
_TRUSTED, _A_DAY = CLOCK_TRUSTED // _SECOND, timedelta(days=1) // _SECOND


def is_reliable() -> ColumnElement[bool]:
    """Return what holds for responses of a possible date, by a phone whose clock was off by a day at most.

    Where the clock is suspected and was hardly off, the date is impossible.
    """
    off = func.abs(QuestionnaireResponse.clock_skew_seconds)
    return or_(~QuestionnaireResponse.clock_suspect, off.between(_TRUSTED + 1, _A_DAY))


def holds(response: QuestionnaireResponse) -> bool:
    """Return whether that holds for ``response``."""
    return not response.clock_suspect or _TRUSTED < abs(response.clock_skew_seconds or 0) <= _A_DAY


def ids(work: Work, patient_id: UUID) -> frozenset[UUID]:
    """Return the ids of a patient's responses of which that holds."""
    return frozenset(row.id for row in work.rows(_IDS, patient=patient_id))


_IDS = select(QuestionnaireResponse.id).where(*of_patient(QuestionnaireResponse), is_reliable())
