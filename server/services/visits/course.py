"""Courses of a patient."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Arm, Condition
from server.models import Course, Patient
from server.services.asking import of_patient
from server.services.civil_time import civil_day
from server.services.errors import Invalid, NotFound, Stale
from server.services.foresight import Foresight
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.work import Work

_ACTIVE = (
    select(Course)
    .where(*of_patient(Course), Course.ended_on.is_(None))
    .order_by(Course.started_on.desc(), Course.id.desc())
)
_ACTIVE_CONDITIONS = _ACTIVE.with_only_columns(Course.condition)


def create(work: Work, patient_id: UUID, values: dict[str, Any]) -> Course:
    """Plan a course for a patient."""
    patient = _writable(work, patient_id)
    _check_interval(values["min_interval_days"], values["max_interval_days"])
    course = Course(
        clinic_id=work.clinic_id,
        patient_id=patient_id,
        id=uuid7(),
        version=1,
        created_at=work.now,
        **values,
    )
    work.session.add(course)
    _count(patient, course)
    work.session.flush()
    work.audit("course.create", patient_id, course.id)
    return course


def change(work: Work, patient_id: UUID, course_id: UUID, changes: dict[str, Any], version: int) -> Course:
    """Change phase, end or intervals if ``version`` is still the current one; else raises Stale.

    Raises Invalid for an end that is still to come: a course that has one has ended, for the watch too. One
    that has not begun ends on its first day.
    """
    patient = _writable(work, patient_id)
    course = get(work, patient_id, course_id, lock=True)
    if course.version != version:
        raise Stale(course)
    for key, value in changes.items():
        setattr(course, key, value)
    _check_interval(course.min_interval_days, course.max_interval_days)
    if changes.get("ended_on") is not None:
        _check_end(course, _today(work, patient))
    if "ended_on" in changes:
        _count(patient, course)
    course.version += 1
    work.audit("course.update", patient_id, course.id)
    return course


def get(work: Work, patient_id: UUID, course_id: UUID, lock: bool = False) -> Course:
    """Return one course of the patient, or raise NotFound. ``lock``: of two changes one waits."""
    key = (work.clinic_id, patient_id, course_id)
    course = work.session.get(Course, key, with_for_update={"key_share": True} if lock else None)
    if course is None:
        raise NotFound("course")
    return course


def page(work: Work, patient_id: UUID, after: UUID | None, size: int) -> Sequence[Course]:
    """Return courses in the order they were planned."""
    patients.get(work, patient_id)
    query = select(Course).where(Course.clinic_id == work.clinic_id, Course.patient_id == patient_id)
    if after is not None:
        query = query.where(Course.id > after)
    return list(work.session.scalars(query.order_by(Course.id).limit(size)))


def active(work: Work, patient_id: UUID, today: date, programme: Arm | None = None) -> Course | None:
    """Return the patient's course that has not ended: the latest of ``programme``, else the latest of all.

    One that begins after ``today``, a local day, only where no other one runs.
    """
    found = _running(work, patient_id, today)
    own = [course for course in found if course.condition.programme is programme]
    return next(iter(own or found), None)


def programmes(work: Work, patient_id: UUID, today: date) -> Sequence[Arm]:
    """Return what the patient has an `active` course for, that of the latest course first."""
    return list(dict.fromkeys(one.condition.programme for one in _running(work, patient_id, today)))


def foresee(ahead: Foresight, patient_ids: Iterable[UUID]) -> None:
    """Ask at once for the `active_conditions` of several patients."""
    ahead.ask(_ACTIVE_CONDITIONS, [{"patient": patient_id} for patient_id in patient_ids])


def active_conditions(work: Work, patient_id: UUID) -> Sequence[Condition]:
    """Return what the courses treat that have not ended: somebody may be in two at a time."""
    return [condition for (condition,) in work.rows(_ACTIVE_CONDITIONS, patient=patient_id)]


def _running(work: Work, patient_id: UUID, today: date) -> Sequence[Course]:
    known = work.objects(_ACTIVE, patient=patient_id)
    return [course for course in known if course.started_on <= today] or known


def _writable(work: Work, patient_id: UUID) -> Patient:
    patients.get(work, patient_id)
    return patients.lock(work, patient_id)


def _count(patient: Patient, course: Course) -> None:
    """Let the days to come be judged anew where the course says how closely somebody is watched."""
    if course.condition is Condition.BIPOLAR_DEPRESSION:
        patient.change_counter += 1


def _check_interval(shortest: int, longest: int) -> None:
    if shortest > longest:
        raise Invalid("/min_interval_days", "Is longer than max_interval_days.")


def _today(work: Work, patient: Patient) -> date:
    """Return the date of today: where the clinic or the patient is, whichever is further on."""
    return max(civil_day(work.now, zone, 0) for zone in (clinics.get(work).zone, patient.zone))


def _check_end(course: Course, today: date) -> None:
    assert course.ended_on is not None
    if course.ended_on < course.started_on:
        raise Invalid("/ended_on", "Lies before the start.")
    # One that has not begun is called off: it ends on its first day, which is ahead.
    if course.ended_on > max(today, course.started_on):
        raise Invalid("/ended_on", "Lies ahead. Say it on that day.")
