"""The days of a clinic's patients. At which hour a day starts is the clinic's setting.

What was captured keeps the day it was given: another hour is for what comes.
"""

from datetime import date, datetime, timedelta

from sqlalchemy import select, update

from server.models import CheckInPlan, Clinic, Patient
from server.services.civil_time import civil_day, day_end
from server.services.watch import ground_rules
from server.services.work import Work


def start(work: Work) -> int:
    """Return the hour (0-6) at which patients' days start: one and the same all through a transaction."""
    return ground_rules.of(work).day_start


def of(work: Work, at: datetime, zone: str) -> date:
    """Return the patient's day that moment ``at`` (aware) belongs to where they are."""
    return civil_day(at, zone, start(work))


def so_far(work: Work, day: date, zone: str) -> date:
    """Return ``day``, or today in ``zone`` where it lies ahead: of a day to come nobody can tell anything."""
    return min(day, of(work, work.now, zone))


def end(work: Work, day: date, zone: str) -> datetime:
    """Return the moment (UTC) at which the patient's ``day`` ends where they are."""
    return day_end(day, zone, start(work))


def ended(work: Work, patient: Patient) -> date:
    """Return the local day that is over at `next_close_at`, also where that was put off."""
    return of(work, patient.next_close_at, patient.zone) - timedelta(days=1)


def move_start(work: Work, hour: int) -> None:
    """Let patients' days start at ``hour`` (0-6) from now on: each running day ends at the new hour.

    Every day is closed once, none is left out. Reminders are looked at anew by their job.
    """
    for patient in _everybody(work):
        patient.next_close_at = day_end(ended(work, patient), patient.zone, hour)
    work.session.get_one(Clinic, work.clinic_id).day_start = hour
    ground_rules.forget(work)
    work.session.execute(
        update(CheckInPlan)
        .where(CheckInPlan.clinic_id == work.clinic_id, CheckInPlan.next_at.is_not(None))
        .values(next_at=work.now)
    )


def _everybody(work: Work) -> list[Patient]:
    """Lock the clinic's patients, always in the same order, and return them as they are now."""
    query = select(Patient).where(Patient.clinic_id == work.clinic_id).order_by(Patient.id)
    return list(
        work.session.scalars(query.with_for_update(key_share=True).execution_options(populate_existing=True))
    )
