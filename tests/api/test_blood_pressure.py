"""A blood pressure that needs care at once is an alert: the care team hears, whoever recorded it."""

from datetime import timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.visits import Visits


def record(visits: Visits, systolic: int, diastolic: int, **body: Any) -> Any:
    values = {"systolic": systolic, "diastolic": diastolic, **body}
    answer = visits.cast.coordinator.post(f"{visits.ana}/blood-pressures", values)
    assert answer.status_code == 201, answer.text
    return answer.json


def alerts(cast: Cast) -> Any:
    return [cast.bo.get(f"/alerts/{one['id']}").json for one in cast.bo.get("/alerts").json["items"]]


def withdraw(visits: Visits, made: Any) -> None:
    taken = visits.cast.bo.post(f"{visits.ana}/blood-pressures/{made['id']}/withdraw", version=1)
    assert taken.status_code == 200, taken.text


def days_ago(visits: Visits, days: int) -> dict[str, str]:
    return {"measured_at": (visits.now - timedelta(days=days)).isoformat()}


@pytest.mark.parametrize(("systolic", "diastolic"), [(180, 90), (150, 120)])
def test_one_that_needs_care_at_once_is_an_emergency(
    visits: Visits, cast: Cast, systolic: int, diastolic: int
) -> None:
    made = record(visits, systolic, diastolic)
    (alert,) = alerts(cast)
    assert (alert["urgency"], alert["family"], alert["codes"]) == ("P0", "side_effect", ["blood_pressure"])
    assert alert["summary"] == (
        f"The clinic recorded blood pressure {systolic}/{diastolic} on 2026-03-02: needs care at once."
    )
    assert alert["evidence"]["blood_pressures"] == [made["id"]]
    assert [one["account_id"] for one in alert["deliveries"]] == [str(cast.bo.account_id)]


def test_a_lower_one_is_for_the_guards_alone(visits: Visits, cast: Cast) -> None:
    record(visits, 179, 119)
    assert alerts(cast) == []


def test_another_one_joins_the_open_alert(visits: Visits, cast: Cast) -> None:
    record(visits, 180, 90, **days_ago(visits, 1))
    record(visits, 200, 130)
    (alert,) = alerts(cast)
    assert [event["kind"] for event in alert["events"]] == ["opened", "repeated"]


def test_one_that_is_taken_over_beside_a_newer_one_or_is_too_old_says_nothing_of_now(
    visits: Visits, cast: Cast
) -> None:
    record(visits, 190, 125, **days_ago(visits, 90))
    record(visits, 130, 80)
    record(visits, 190, 125, **days_ago(visits, 3))
    assert alerts(cast) == []


def test_the_alert_of_one_that_was_a_mistake_says_so_and_waits_for_a_person(
    visits: Visits, cast: Cast
) -> None:
    made = record(visits, 180, 90)
    withdraw(visits, made)
    (alert,) = alerts(cast)
    assert (alert["state"], alert["evidence"]["disproved"]) == ("open", True)
    assert [event["kind"] for event in alert["events"]] == ["opened", "answer_corrected", "disproved"]


def test_one_that_was_passed_over_beside_a_mistake_is_heeded_once_the_mistake_is_taken_back(
    visits: Visits, cast: Cast
) -> None:
    record(visits, 130, 80, **days_ago(visits, 2))
    mistake = record(visits, 120, 75)
    passed_over = record(visits, 190, 125, **days_ago(visits, 1))
    assert alerts(cast) == []
    withdraw(visits, mistake)
    (alert,) = alerts(cast)
    assert (alert["urgency"], alert["evidence"]["blood_pressures"]) == ("P0", [passed_over["id"]])


def test_an_alert_about_a_mistake_stands_where_the_one_before_needs_care_as_well(
    visits: Visits, cast: Cast
) -> None:
    mistake = record(visits, 200, 130)
    record(visits, 190, 125, **days_ago(visits, 1))
    withdraw(visits, mistake)
    (alert,) = alerts(cast)
    assert not alert["evidence"]["disproved"]
    assert [event["kind"] for event in alert["events"]][-2:] == ["repeated", "supported"]


def test_one_that_was_told_and_closed_is_not_told_again_where_a_later_mistake_is_taken_back(
    visits: Visits, cast: Cast
) -> None:
    record(visits, 190, 125, **days_ago(visits, 1))
    (alert,) = alerts(cast)
    closing = {"outcome": "contacted", "note": "Went to the hospital."}
    closed = cast.bo.post(f"/alerts/{alert['id']}/resolve", closing, version=alert["version"])
    assert closed.status_code == 200, closed.text
    withdraw(visits, record(visits, 120, 75))
    assert alerts(cast) == []


def test_whoever_takes_on_a_blood_pressure_has_seen_nothing_of_the_diary(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    said = f"/entries/{uuid7()}"
    assert cast.ana.put(said, entry(clock.now, note="Please call me.")).status_code == 201
    record(visits, 190, 120)
    (alert,) = cast.bo.get("/alerts").json["items"]
    clock.forward(minutes=1)
    taken = cast.bo.post(f"/alerts/{alert['id']}/acknowledge", {}, version=alert["version"])
    assert taken.status_code == 200
    assert cast.ana.get(said).json["seen_by_team_at"] is None
    (day,) = cast.ana.get("/me/timeline").json["items"]
    assert day["sentences"] == []
    # What the patient reports beside it stands in the alert, and is seen with it.
    clock.forward(minutes=1)
    flagged = f"/entries/{uuid7()}"
    assert cast.ana.put(flagged, entry(clock.now, side_effects={"nausea": 4})).status_code == 201
    (alert,) = cast.bo.get("/alerts").json["items"]
    clock.forward(minutes=1)
    taken = cast.bo.post(f"/alerts/{alert['id']}/acknowledge", {}, version=alert["version"])
    assert taken.status_code == 200
    assert cast.ana.get(flagged).json["seen_by_team_at"] == clock.now.isoformat()
