"""The hour at which days start is the clinic's: another one ends the running day once, at the new hour."""

from datetime import date, timedelta

import pytest
from flask import Flask

from server.database import Database
from server.models import CheckInPlan, Patient
from server.services import local_day as local_days
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from tests.cast import Cast, as_work
from tests.conftest import Clock

OSLO = "Europe/Oslo"


@pytest.mark.parametrize(("before", "after", "end"), [(4, 0, 23), (4, 6, 5), (6, 0, 23), (0, 6, 5)])
def test_a_running_day_ends_once_at_the_new_hour(
    app: Flask, cast: Cast, clock: Clock, database: Database, before: int, after: int, end: int
) -> None:
    day = date(2026, 3, 2)
    with database.write() as session:
        work = as_work(app, cast.admin, session)
        clinics.update(work, {"day_start": before})
        clinics.update(work, {"day_start": after})
        ana = session.get_one(Patient, (work.clinic_id, cast.ana.patient_id))
        assert local_days.ended(work, ana) == day
        assert ana.next_close_at == local_days.end(work, day, OSLO)
        assert ana.next_close_at.hour == end
        patients.close_day(work, ana, day)
        assert local_days.ended(work, ana) == day + timedelta(days=1)
    with database.read() as session:
        other = session.get_one(Patient, (cast.cyd.clinic_id, cast.other_patient.patient_id))
        assert other.next_close_at.hour == 3, "another clinic keeps its own hour"


def test_reminders_are_looked_at_anew_and_those_switched_off_stay_so(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    ana = f"/patients/{cast.ana.patient_id}"
    assert cast.bo.put(f"{ana}/check-in-plan", {"scales": []}, version=1).status_code == 200
    with database.write() as session:
        work = as_work(app, cast.admin, session)
        plan = session.query(CheckInPlan).one()
        assert plan.next_at is not None
        assert plan.next_at > clock.now
        clinics.update(work, {"day_start": 5})
        assert plan.next_at == clock.now
        plan.next_at = None
        session.flush()
        clinics.update(work, {"day_start": 6})
        session.refresh(plan)
        assert plan.next_at is None
