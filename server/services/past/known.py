"""What is there of a patient before a past is written: up to which day, and what its days are judged from."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import bindparam, func, select, union_all

from server.models import Activation, Assessment, Entry, QuestionnaireResponse, WatchMove
from server.services.asking import of_patient
from server.services.work import Work

_TABLES = (
    (Entry, Entry.local_day),
    (Assessment, Assessment.day),
    (Activation, Activation.day),
    (WatchMove, WatchMove.day),
)
_LAST_DAYS = union_all(
    *(select(func.max(day)).where(*of_patient(table), day <= bindparam("until")) for table, day in _TABLES)
)
_LAST_ENTRY = select(func.max(Entry.local_day)).where(
    *of_patient(Entry), Entry.deleted_at.is_(None), Entry.day_reliable, Entry.local_day <= bindparam("until")
)
_RESPONSE = (
    select(QuestionnaireResponse.id)
    .where(*of_patient(QuestionnaireResponse), QuestionnaireResponse.local_day <= bindparam("until"))
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Known:
    """``last_day``: the last one, not after those that are written, of which anything is known.

    ``entry_day``: the last one of them with an entry that can be relied on. ``has_scales``: a scale was
    filled by then.
    """

    last_day: date
    entry_day: date | None
    has_scales: bool


def read(work: Work, patient_id: UUID, until: date) -> Known:
    """Return what is known up to ``until``."""
    days = [day for (day,) in work.rows(_LAST_DAYS, patient=patient_id, until=until) if day is not None]
    entry_day = work.value(_LAST_ENTRY, patient=patient_id, until=until)
    has_scales = work.value(_RESPONSE, patient=patient_id, until=until) is not None
    return Known(max(days, default=date.min), entry_day, has_scales)
