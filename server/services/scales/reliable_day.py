"""Whether the day of a filled scale can be relied on: as for an entry, a clock off by days names none."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from server.models import QuestionnaireResponse
from server.services.asking import of_patient
from server.services.journal.incoming import CLOCK_TRUSTED
from server.services.work import Work

_SECOND = timedelta(seconds=1)


def is_reliable() -> ColumnElement[bool]:
    """Return what holds for responses of a possible date, by a phone whose clock was off by a day at most.

    Where the clock is suspected and was hardly off, the date is impossible.
    """
    off = func.abs(QuestionnaireResponse.clock_skew_seconds)
    hours = off.between(CLOCK_TRUSTED // _SECOND + 1, timedelta(days=1) // _SECOND)
    return or_(~QuestionnaireResponse.clock_suspect, hours)


def ids(work: Work, patient_id: UUID) -> frozenset[UUID]:
    """Return the ids of a patient's responses of which that holds."""
    return frozenset(row.id for row in work.rows(_IDS, patient=patient_id))


_IDS = select(QuestionnaireResponse.id).where(*of_patient(QuestionnaireResponse), is_reliable())
