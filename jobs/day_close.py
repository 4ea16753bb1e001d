"""Patients whose local day has ended: judge the day, weigh silence, wait for the next one.

Days missed in an outage are closed one after another, oldest first, so a missed night heals itself.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.each_clinic import each_clinic
from server.services import local_day as local_days
from server.services.people import patient as patients
from server.services.watch import assessment as assessments
from server.services.watch import day_ahead
from server.services.watch import silence as silences
from server.services.work import Work, system

log = logging.getLogger(__name__)

BATCH = 100
# A commit costs as much as judging a patient; but whoever writes waits for a transaction to end.
TOGETHER = 10
# A long outage is caught up in transactions of a week, so that none of them holds others up for long.
DAYS_AT_ONCE = 7
SET_ASIDE = timedelta(hours=1)


def run(around: Around, now: datetime) -> int:
    """Close every ended day of every clinic; return how many days were closed.

    Raises `Incomplete`, at the end, where a patient had to be set aside.
    """
    return each_clinic(around, "closing days", partial(_close_all, around, now))


def _close_all(around: Around, now: datetime, clinic_id: UUID) -> int:
    closed = _close_clinic(around, now, clinic_id)
    with around.database.read() as session:
        aside = patients.set_aside(Work(session, now, system(clinic_id)))
    if aside:
        raise Incomplete(f"{aside} patients could not be judged")
    return closed


def _close_clinic(around: Around, now: datetime, clinic_id: UUID) -> int:
    _end_anew(around, now, clinic_id)
    closed = 0
    while not around.stopping.is_set():
        due = _due(around, now, clinic_id)
        parts = (due[start : start + TOGETHER] for start in range(0, len(due), TOGETHER))
        results = [result for part in parts for result in _close_together(around, now, clinic_id, part)]
        closed += sum(results)
        # None left, or those left are in the hands of another worker.
        if not results:
            break
    return closed


def _end_anew(around: Around, now: datetime, clinic_id: UUID) -> None:
    """Let days end that a clock which was ahead has closed before: nobody would be missed in them."""
    with around.database.read() as session:
        ahead = day_ahead.closed(Work(session, now, system(clinic_id)))
    for start in range(0, len(ahead), BATCH):
        with around.database.write() as session:
            day_ahead.end_anew(Work(session, now, system(clinic_id)), ahead[start : start + BATCH])


def _due(around: Around, now: datetime, clinic_id: UUID) -> list[UUID]:
    with around.database.read() as session:
        return [p.id for p in patients.due_to_close(Work(session, now, system(clinic_id)), BATCH)]


def _close_together(around: Around, now: datetime, clinic_id: UUID, ids: Sequence[UUID]) -> Sequence[int]:
    """Close the days of a few patients in one transaction, or one by one where one can't be judged.

    Return how many days were closed of each who was ours to close.
    """
    try:
        return _close_taken(around, now, clinic_id, ids)
    except Exception as error:
        log.info("patients are judged one by one: %s", type(error).__name__)
    return [days for patient_id in ids for days in _close(around, now, clinic_id, patient_id)]


def _close_taken(around: Around, now: datetime, clinic_id: UUID, ids: Sequence[UUID]) -> Sequence[int]:
    with around.database.write() as session:
        return _close_each(Work(session, now, system(clinic_id)), ids)


def _close(around: Around, now: datetime, clinic_id: UUID, patient_id: UUID) -> Sequence[int]:
    """Close the days of one patient; none where they were set aside."""
    try:
        return _close_taken(around, now, clinic_id, [patient_id])
    except Exception as error:
        # Whatever it is, it is about this patient: the others must not wait for it. Their next try
        # judges the latest ended day, which rests on the same history as the days before it.
        log.error("patient %s could not be judged: %s", patient_id, type(error).__name__)
        with around.database.write() as session:
            patients.put_off_close(Work(session, now, system(clinic_id)), patient_id, now + SET_ASIDE)
        return [0]


def _close_each(work: Work, ids: Sequence[UUID]) -> Sequence[int]:
    """Close the ended days of those of ``ids`` who are ours; return how many of each."""
    taken = patients.take_to_close(work, ids)
    closed = dict.fromkeys((patient.id for patient in taken), 0)
    for _ in range(DAYS_AT_ONCE):
        ended = [patient for patient in taken if patient.next_close_at <= work.now]
        if not ended:
            break
        days = [(patient, local_days.ended(work, patient)) for patient in ended]
        assessments.judge_each(work, days)
        silences.check_each(work, days)
        for patient, day in days:
            patients.close_day(work, patient, day)
            closed[patient.id] += 1
    return list(closed.values())
