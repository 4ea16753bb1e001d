"""What is broken at one clinic, or about one alert, is said, and everybody else is attended to."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from jobs import day_close, escalate
from jobs.around import Around, Incomplete
from server.clinical.vocabulary import AlertClass, AlertFamily
from server.models import Clinic
from tests.alert_rows import Raised, put
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.jobs.deeds import alerts, ana_raises_a_red_flag, patient_of, working

# Before any calendar's first day, once a zone has moved it: no time can be counted from here.
NEVER = datetime(1, 1, 1, tzinfo=UTC)


def levels(around: Around, cast: Cast) -> dict[bool, int]:
    """Return the level of each clinic's alert; True is Ana's clinic."""
    return {alert.clinic_id == cast.ana.clinic_id: alert.level for alert in alerts(around)}


@pytest.mark.long
def test_a_clinic_whose_zone_nobody_knows_stops_no_other_ones_ladder(
    cast: Cast, clock: Clock, around: Around, caplog: pytest.LogCaptureFixture
) -> None:
    ana_raises_a_red_flag(cast, clock)
    cast.other_patient.put(f"/entries/{uuid7()}", entry(clock.now, safety="plan"))
    with around.database.write() as session:
        session.get_one(Clinic, cast.ana.clinic_id).zone = "Europe/Nowhere"
    with pytest.raises(Incomplete):  # the run ledger must not call this a success
        escalate.run(around, clock.forward(minutes=15))
    assert levels(around, cast) == {True: 0, False: 1}
    assert f"alerts of clinic {cast.ana.clinic_id} could not be looked over" in caplog.text
    with around.database.write() as session:
        session.get_one(Clinic, cast.ana.clinic_id).zone = "Europe/Oslo"
    assert escalate.run(around, clock.now) == 1
    assert levels(around, cast) == {True: 1, False: 1}


def test_an_alert_that_cannot_be_judged_stops_no_other_one_of_its_clinic(
    cast: Cast, clock: Clock, around: Around, caplog: pytest.LogCaptureFixture
) -> None:
    with working(around, cast.bo, clock.now) as work:
        found = Raised(cast.ana.patient_id, NEVER, AlertFamily.SILENCE, AlertClass.P0)
        broken = put(work, found)
    ana_raises_a_red_flag(cast, clock)
    with pytest.raises(Incomplete):
        escalate.run(around, clock.forward(minutes=15))
    assert {alert.id == broken: alert.level for alert in alerts(around)} == {True: 0, False: 1}
    assert f"alert {broken} could not be attended to" in caplog.text


def test_days_that_cannot_be_looked_for_at_one_clinic_end_at_the_others(
    cast: Cast, clock: Clock, around: Around
) -> None:
    if not around.database.is_sqlite:
        pytest.skip("a column of PostgreSQL takes nothing but a time")
    for person in (cast.ana, cast.other_patient):
        assert person.put(f"/entries/{uuid7()}", entry(clock.now)).status_code == 201
    with around.database.write() as session:
        ours = {"clinic": cast.ana.clinic_id.hex}
        session.execute(text("UPDATE patients SET next_close_at = '0' WHERE clinic_id = :clinic"), ours)
    with pytest.raises(Incomplete):
        day_close.run(around, clock.forward(days=2))
    assert patient_of(around, cast.other_patient).next_close_at > clock.now
