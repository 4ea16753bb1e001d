"""When a patient last reported: the day an entry names, or the day it came in where that means nothing."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select

from server.models import Entry, Patient
from server.services import local_day as local_days
from server.services.asking import of_patient
from server.services.work import Work

_THERE = (Entry.deleted_at.is_(None), Entry.day_reliable)
_UNDATED = (Entry.deleted_at.is_(None), ~Entry.day_reliable)
LAST_DAY = select(func.max(Entry.local_day)).where(
    *of_patient(Entry), *_THERE, Entry.local_day <= bindparam("day")
)
_LAST_UNDATED = select(func.max(Entry.received_at)).where(
    *of_patient(Entry), *_UNDATED, Entry.received_at <= bindparam("until")
)


def day(work: Work, patient_id: UUID, until: date) -> date | None:
    """Return the last day up to ``until`` that a reliable entry names."""
    return work.value(LAST_DAY, patient=patient_id, day=until)


def undated_day(work: Work, patient: Patient, until: datetime) -> date | None:
    """Return the day on which the newest entry without a reliable day came in, up to ``until``."""
    at: datetime | None = work.value(_LAST_UNDATED, patient=patient.id, until=until)
    return None if at is None else local_days.of(work, at, patient.zone)


def is_since(work: Work, patient: Patient, first: date) -> bool:
    """Return whether the patient has reported on ``first`` or later."""
    found = day(work, patient.id, date.max), undated_day(work, patient, work.now)
    return any(one is not None and one >= first for one in found)


def days(work: Work, patient_ids: Sequence[UUID]) -> Mapping[UUID, date]:
    """Return the last day of each of several patients; who never reported anything is left out."""
    mine = (Entry.clinic_id == work.clinic_id, Entry.patient_id.in_(patient_ids))
    named = select(Entry.patient_id, func.max(Entry.local_day)).where(*mine, *_THERE)
    found = {row[0]: row[1] for row in work.session.execute(named.group_by(Entry.patient_id))}
    arrived = (
        select(Entry.patient_id, Patient.zone, func.max(Entry.received_at))
        .join(Patient, (Patient.clinic_id == Entry.clinic_id) & (Patient.id == Entry.patient_id))
        .where(*mine, *_UNDATED)
        .group_by(Entry.patient_id, Patient.zone)
    )
    for patient_id, zone, at in work.session.execute(arrived).all():
        found[patient_id] = max(local_days.of(work, at, zone), found.get(patient_id, date.min))
    return found
