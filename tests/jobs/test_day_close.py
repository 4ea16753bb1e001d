"""Days that end: judged once, missed nights made up, one bad diary never in the way of the others."""

from datetime import date, timedelta

import pytest
from uuid_utils.compat import uuid7

from jobs import day_close
from jobs.around import Around, Incomplete
from server.clinical.vocabulary import AlertClass, AlertFamily, Outcome, Purpose
from server.models import Assessment, Entry
from server.services.alerts import alert_handling
from server.services.civil_time import civil_day, day_end
from server.services.people import patient as patients
from tests.cast import Cast, Person, entry
from tests.conftest import Clock
from tests.consents import say, withdraw
from tests.jobs.deeds import alerts, ana_raises_a_red_flag, kinds, patient_of, working
from tests.visits import Visits

WELL = {"mood": 8, "interest": 8, "anxiety": 1, "restlessness": 1, "sleep_quality": 8}
ILL = {"mood": 2, "interest": 2, "anxiety": 8, "restlessness": 8, "sleep_quality": 2}


def days_judged(around: Around, person: Person) -> list[date]:
    with around.database.read() as session:
        rows = session.query(Assessment.day).filter_by(patient_id=person.patient_id).order_by(Assessment.day)
        return [day for (day,) in rows]


def is_logged(person: Person, clock: Clock) -> None:
    assert person.put(f"/entries/{uuid7()}", entry(clock.now)).status_code == 201


def silences(around: Around, cast: Cast) -> list[tuple[AlertClass, int]]:
    ours = [a for a in alerts(around) if a.patient_id == cast.ana.patient_id]
    found = [a for a in ours if a.family is AlertFamily.SILENCE]
    return [(a.urgency, a.evidence["missed_days"]) for a in found]


def test_a_day_is_closed_once_after_it_has_ended_where_the_patient_is(
    cast: Cast, clock: Clock, around: Around
) -> None:
    is_logged(cast.ana, clock)  # Monday 13:00 in Oslo
    assert day_close.run(around, clock.forward(hours=14)) == 0  # 03:00: still Monday
    assert day_close.run(around, clock.forward(hours=2)) == 2  # Ana and the other clinic's Fay
    assert day_close.run(around, clock.now) == 0
    assert days_judged(around, cast.ana) == [date(2026, 3, 2)]


def test_missed_nights_heal_however_many_there_were(cast: Cast, clock: Clock, around: Around) -> None:
    is_logged(cast.ana, clock)
    assert day_close.run(around, clock.forward(days=10)) == 20
    closed = [date(2026, 3, 2) + timedelta(days=n) for n in range(10)]
    assert days_judged(around, cast.ana) == closed
    patient = patient_of(around, cast.ana)
    assert patient.next_close_at == day_end(civil_day(clock.now, patient.zone, 4), patient.zone, 4)


def test_who_flies_east_skips_no_day_nor_any_that_still_wait_for_their_night(
    cast: Cast, clock: Clock, around: Around
) -> None:
    is_logged(cast.ana, clock)
    week = [date(2026, 3, 2) + timedelta(days=n) for n in range(7)]
    clock.forward(days=4, hours=8)  # the nights since Monday were missed, and it is Friday evening in Oslo
    assert cast.ana.patch("/me/zone", {"zone": "Pacific/Auckland"}).status_code == 200  # Saturday there
    day_close.run(around, clock.now)
    assert days_judged(around, cast.ana) == week[:5]
    assert cast.ana.patch("/me/zone", {"zone": "Pacific/Honolulu"}).status_code == 200  # Friday once more
    day_close.run(around, clock.forward(days=3))
    assert days_judged(around, cast.ana) == week


def test_one_diary_that_cannot_be_judged_does_not_stop_the_others(
    cast: Cast, clock: Clock, around: Around, caplog: pytest.LogCaptureFixture
) -> None:
    for person in (cast.ana, cast.other_patient):
        is_logged(person, clock)
    with around.database.write() as session:
        poisoned = session.query(Entry).filter_by(patient_id=cast.ana.patient_id).one()
        poisoned.items = {"no such item": 1}
    clock.forward(days=1)
    with pytest.raises(Incomplete):
        day_close.run(around, clock.now)
    assert patient_of(around, cast.ana).next_close_at == clock.now + timedelta(hours=1)
    assert days_judged(around, cast.other_patient)[-1] == date(2026, 3, 2)
    assert str(cast.ana.patient_id) in caplog.text
    assert "no such item" not in caplog.text


def test_a_patient_set_aside_is_closed_once_the_diary_is_mended(
    cast: Cast, clock: Clock, around: Around
) -> None:
    is_logged(cast.ana, clock)
    with around.database.write() as session:
        poisoned = session.query(Entry).filter_by(patient_id=cast.ana.patient_id).one()
        poisoned.items, kept = {"no such item": 1}, poisoned.items
    with pytest.raises(Incomplete):
        day_close.run(around, clock.forward(days=1))
    with around.database.write() as session:
        session.query(Entry).filter_by(patient_id=cast.ana.patient_id).one().items = kept
    with pytest.raises(Incomplete):
        day_close.run(around, clock.forward(minutes=59))
    assert day_close.run(around, clock.forward(minutes=1)) == 1
    patient = patient_of(around, cast.ana)
    assert patient.next_close_at == day_end(date(2026, 3, 3), patient.zone, 4)


def test_five_days_without_an_entry_are_told_and_then_stay_one_episode(
    cast: Cast, clock: Clock, around: Around
) -> None:
    is_logged(cast.ana, clock)
    day_close.run(around, clock.forward(days=5))
    assert silences(around, cast) == []
    day_close.run(around, clock.forward(days=1))
    day_close.run(around, clock.forward(days=1))
    assert silences(around, cast) == [(AlertClass.P3, 5)]


def test_a_long_silence_is_told_again_as_more_urgent(cast: Cast, clock: Clock, around: Around) -> None:
    is_logged(cast.ana, clock)
    day_close.run(around, clock.forward(days=11))
    (silent,) = [a for a in alerts(around) if a.patient_id == cast.ana.patient_id]
    assert silent.urgency is AlertClass.P2
    assert "worsened" in kinds(around, silent)


def test_patience_is_shorter_after_a_red_flag(cast: Cast, clock: Clock, around: Around) -> None:
    ana_raises_a_red_flag(cast, clock)
    day_close.run(around, clock.forward(days=3))
    assert silences(around, cast) == []
    day_close.run(around, clock.forward(days=1))
    assert silences(around, cast) == [(AlertClass.P2, 3)]


def test_patience_is_shorter_after_a_decline_also_where_little_was_said_of_it_at_last(
    visits: Visits, clock: Clock, around: Around
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=29))
    visits.log(25, items=WELL)
    for said in (*[ILL] * 2, *[{"sleep_hours": 4}] * 5):
        clock.forward(days=1)
        assert visits.cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, items=said)).status_code == 201
    mood = visits.cast.bo.get(f"{visits.ana}/watch").json["arms"][0]["latest"]
    assert (mood["state"], mood["evidence"]["since"]) == ("insufficient_data", "2026-03-04")
    day_close.run(around, clock.forward(days=3))
    assert silences(around, visits.cast) == []
    day_close.run(around, clock.forward(days=1))
    assert silences(around, visits.cast) == [(AlertClass.P2, 3)]


def test_a_silence_bo_has_closed_is_not_told_again_tomorrow(cast: Cast, clock: Clock, around: Around) -> None:
    is_logged(cast.ana, clock)
    day_close.run(around, clock.forward(days=6))
    (silent,) = [a for a in alerts(around) if a.patient_id == cast.ana.patient_id]
    with working(around, cast.bo, clock.now) as work:
        alert_handling.resolve(work, silent.id, Outcome.CONTACTED, "On holiday.", silent.version)
    day_close.run(around, clock.forward(days=2))
    assert len(silences(around, cast)) == 1
    day_close.run(around, clock.forward(days=5))  # but when it has become a long one
    assert [urgency for urgency, _ in silences(around, cast)] == [AlertClass.P3, AlertClass.P2]


def test_a_silence_that_a_withdrawn_consent_closed_is_told_once_the_team_may_read_again(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ana_raises_a_red_flag(cast, clock, "often")
    day_close.run(around, clock.forward(days=4))
    assert silences(around, cast) == [(AlertClass.P2, 3)]
    withdraw(cast, Purpose.CARE_TEAM)
    day_close.run(around, clock.forward(days=1))
    assert say(cast.ana, Purpose.CARE_TEAM, True, 0).status_code == 200
    day_close.run(around, clock.forward(days=1))
    assert silences(around, cast)[1:] == [(AlertClass.P2, 5)]


def test_a_pause_is_no_silence_and_its_days_were_not_missed(cast: Cast, clock: Clock, around: Around) -> None:
    is_logged(cast.ana, clock)
    with working(around, cast.bo, clock.now) as work:
        assert cast.ana.patient_id is not None
        patients.get(work, cast.ana.patient_id).paused_until = clock.now + timedelta(days=10)
    day_close.run(around, clock.forward(days=14))
    assert silences(around, cast) == []
    day_close.run(around, clock.forward(days=2))
    assert silences(around, cast) == [(AlertClass.P3, 5)]


def test_the_days_of_a_pause_that_ended_sooner_were_not_missed_either(
    cast: Cast, clock: Clock, around: Around
) -> None:
    path = f"/patients/{cast.ana.patient_id}"
    is_logged(cast.ana, clock)
    until = (clock.now + timedelta(days=21)).isoformat()
    assert cast.bo.patch(path, {"paused_until": until}, version=1).status_code == 200
    day_close.run(around, clock.forward(days=12))
    ended = cast.bo.patch(path, {"paused_until": None}, version=2)  # home sooner than planned
    assert ended.json["paused_until"] == clock.now.isoformat()
    again = cast.bo.patch(path, {"paused_until": None}, version=3)
    assert again.json["paused_until"] == clock.now.isoformat()
    day_close.run(around, clock.forward(days=4))
    assert silences(around, cast) == []
    day_close.run(around, clock.forward(days=1))
    assert silences(around, cast) == [(AlertClass.P3, 5)]


def test_who_has_written_again_before_the_night_is_made_up_is_not_silent(
    cast: Cast, clock: Clock, around: Around
) -> None:
    is_logged(cast.ana, clock)
    clock.forward(days=6)  # nobody closed a day meanwhile
    is_logged(cast.ana, clock)
    day_close.run(around, clock.forward(hours=1))
    assert silences(around, cast) == []
    day_close.run(around, clock.forward(days=6))
    assert silences(around, cast) == [(AlertClass.P3, 5)], "the next silence is one"


def test_who_has_not_enrolled_is_not_silent(cast: Cast, clock: Clock, around: Around) -> None:
    with working(around, cast.bo, clock.now) as work:
        assert cast.ana.patient_id is not None
        patients.get(work, cast.ana.patient_id).enrolled_at = None
    day_close.run(around, clock.forward(days=20))
    assert silences(around, cast) == []
