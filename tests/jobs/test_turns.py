"""Who is attended to first where very many alerts of one clinic are due."""

import re
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from jobs import escalate
from jobs.around import Around, Incomplete
from jobs.runner import run_once
from jobs.timetable import TIMETABLE
from server.clinical.vocabulary import AlertClass, AlertFamily
from server.database import Database
from server.isolation import Extent
from server.models import Alert
from server.postgresql.limits import Limits
from server.services.health import health, plain
from tests.alert_rows import Raised, put
from tests.cast import Cast, Person
from tests.conftest import Clock
from tests.jobs.deeds import alerts, working

FAMILIES = (AlertFamily.SIDE_EFFECT, AlertFamily.SILENCE, AlertFamily.MOOD_RELAPSE)


def crowd(around: Around, cast: Cast, clock: Clock, urgency: AlertClass) -> None:
    """Raise several alerts at each of the two clinics, so that none stands first by chance."""
    for patient, staff in ((cast.ana, cast.bo), (cast.other_patient, cast.cyd)):
        with working(around, staff, clock.now) as work:
            for family in FAMILIES:
                put(work, Raised(patient.patient_id, clock.now, family, urgency))


def emergency(around: Around, patient: Person, staff: Person, clock: Clock) -> None:
    with working(around, staff, clock.now) as work:
        put(work, Raised(patient.patient_id, clock.now, AlertFamily.SAFETY, AlertClass.P0))


def attended(around: Around, caplog: pytest.LogCaptureFixture) -> list[tuple[AlertClass, str]]:
    """Return urgency and clinic of the alerts of which more was told, in that order."""
    known = {str(one.id): (one.urgency, str(one.clinic_id)) for one in alerts(around)}
    said = (re.match("alert (.*) was not answered in time", record.message) for record in caplog.records)
    return [known[found[1]] for found in said if found]


def test_an_emergency_waits_for_no_other_clinics_lesser_alerts_and_clinics_take_turns(
    cast: Cast, clock: Clock, around: Around, caplog: pytest.LogCaptureFixture
) -> None:
    crowd(around, cast, clock, AlertClass.P1)
    emergency(around, cast.ana, cast.bo, clock)
    emergency(around, cast.other_patient, cast.cyd, clock)
    assert escalate.run(around, clock.forward(days=2)) == 8
    order = attended(around, caplog)
    assert [urgency for urgency, _ in order] == [AlertClass.P0] * 2 + [AlertClass.P1] * 6
    for first in range(0, len(order), 2):
        assert len({clinic for _, clinic in order[first : first + 2]}) == 2


def test_a_run_that_takes_too_long_ends_and_the_next_one_begins_with_what_is_most_urgent(
    cast: Cast,
    clock: Clock,
    around: Around,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    crowd(around, cast, clock, AlertClass.P1)
    clock.forward(days=2)
    with monkeypatch.context() as short:
        short.setattr(escalate, "LONGEST_RUN", timedelta())
        assert escalate.run(around, clock.now) == 0
    emergency(around, cast.ana, cast.bo, clock)
    assert escalate.run(around, clock.forward(minutes=15)) == 7
    assert attended(around, caplog)[0][0] is AlertClass.P0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_clinic_whose_alerts_somebody_keeps_locked_comes_after_all_others(
    cast: Cast,
    clock: Clock,
    around: Around,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each waits for the lock for ten seconds: five of them were a run, and nobody else's turn came."""
    crowd(around, cast, clock, AlertClass.P1)
    monkeypatch.setattr(escalate, "WAITED", timedelta(seconds=0.5))
    impatient = Database(around.settings.sqlalchemy_url, around.database.masters, Limits(lock=1))
    mine = select(Alert).where(Alert.clinic_id == cast.bo.clinic_id)
    with closing(impatient), around.database.write(Extent.ALL) as session:
        session.scalars(mine.with_for_update()).all()
        with pytest.raises(Incomplete):
            escalate.run(replace(around, database=impatient), clock.forward(days=2))
    failed = [
        "could not be attended to" in one.message for one in caplog.records if one.message[:6] == "alert "
    ]
    assert sorted(failed[:-2]) == [False, False, False, True]
    assert failed[-2:] == [True, True]


def test_what_a_run_had_no_time_for_shows_in_a_figure_until_one_has(
    cast: Cast, clock: Clock, around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends early is a success: where all of them do, nothing else would tell."""
    crowd(around, cast, clock, AlertClass.P1)
    emergency(around, cast.ana, cast.bo, clock)
    (job,) = (job for job in TIMETABLE if job.name == "escalate")

    def left() -> dict[str, int]:
        run_once(job, around, clock.now)
        with around.database.read(Extent.ALL) as session:
            found: dict[str, int] = plain(health(session, clock.now, ()))["alerts_left"]
        return found

    clock.forward(days=2)
    with monkeypatch.context() as short:
        short.setattr(escalate, "LONGEST_RUN", timedelta())
        assert left() == {"P0": 1, "P1": 6, "P2": 0, "P3": 0}
    clock.forward(minutes=1)
    assert left() == {"P0": 0, "P1": 0, "P2": 0, "P3": 0}
