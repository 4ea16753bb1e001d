"""A session that fulfilled a visit and turns out to be another one, or none, does not stay behind it."""

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import Clock
from tests.visits import Visits


def course_of(visits: Visits, cast: Cast) -> str:
    (course,) = cast.bo.get(f"{visits.ana}/courses").json["items"]
    return str(course["id"])


def stored(cast: Cast, suggestion: str) -> Any:
    return cast.bo.get(f"/booking-suggestions/{suggestion}").json


def tasks(cast: Cast) -> list[tuple[str, str]]:
    return [(one["code"], one["suggestion_id"]) for one in cast.bo.get("/review-tasks").json["items"]]


@pytest.mark.parametrize("change", ["cancelled", "moved"])
def test_the_visit_stays_fulfilled_without_it_and_a_person_decides(
    visits: Visits, cast: Cast, clock: Clock, change: str
) -> None:
    suggestion = visits.booked(1)
    session = visits.session(course_of(visits, cast), clock.forward(days=18))
    assert stored(cast, suggestion)["state"] == "booked", "too late to be it"
    session = visits.session(course_of(visits, cast), clock.now - timedelta(days=16))
    before = stored(cast, suggestion)
    assert (before["state"], before["treatment_session_id"]) == ("fulfilled", session["id"])
    path = f"{visits.ana}/treatment-sessions/{session['id']}"
    near = {"at": (clock.now - timedelta(days=15)).isoformat()}
    assert cast.bo.patch(path, near, version=1).status_code == 200
    assert (stored(cast, suggestion)["version"], tasks(cast)) == (before["version"], [])
    wrong = {"status": "cancelled"} if change == "cancelled" else {"at": clock.now.isoformat()}
    assert cast.bo.patch(path, wrong, version=2).status_code == 200
    after = stored(cast, suggestion)
    assert (after["state"], after["treatment_session_id"]) == ("fulfilled", None)
    assert after["version"] == before["version"] + 1
    assert after["events"][-1]["action"] == "unlink"
    assert tasks(cast) == [("session_taken_off", suggestion)]


def test_the_session_that_it_was_is_linked_when_it_is_recorded(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.booked(3)
    wrong = visits.session(course_of(visits, cast), clock.forward(hours=1))
    path = f"{visits.ana}/treatment-sessions/{wrong['id']}"
    assert cast.bo.patch(path, {"status": "cancelled"}, version=1).status_code == 200
    right = visits.session(course_of(visits, cast), clock.forward(days=3))
    assert stored(cast, suggestion)["treatment_session_id"] == right["id"]


@pytest.mark.parametrize("order", [(1, 0), (0, 1)])
def test_of_two_sessions_near_a_visit_the_one_of_its_day_is_it_in_whatever_order_they_are_recorded(
    visits: Visits, cast: Cast, clock: Clock, order: tuple[int, int]
) -> None:
    suggestion, now = visits.booked(3), clock.now
    moments = (now + timedelta(days=3), now + timedelta(days=1))
    clock.forward(days=4)
    course = course_of(visits, cast)
    recorded = {number: visits.session(course, moments[number]) for number in order}
    found = stored(cast, suggestion)
    assert (found["state"], found["treatment_session_id"]) == ("fulfilled", recorded[0]["id"])
    assert tasks(cast) == [], "nobody has to decide"
    again = visits.session(course, moments[0] + timedelta(minutes=5))
    assert stored(cast, suggestion)["treatment_session_id"] == recorded[0]["id"] != again["id"]


def test_so_it_is_where_its_date_is_put_right_only_afterwards(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion, now = visits.booked(3), clock.now
    clock.forward(days=5)
    course = course_of(visits, cast)
    its = visits.session(course, now - timedelta(minutes=5))
    other = visits.session(course, now + timedelta(days=4))
    assert stored(cast, suggestion)["treatment_session_id"] == other["id"]
    path, right = f"{visits.ana}/treatment-sessions/{its['id']}", now + timedelta(days=3)
    assert cast.bo.patch(path, {"at": right.isoformat()}, version=1).status_code == 200
    assert (stored(cast, suggestion)["treatment_session_id"], tasks(cast)) == (its["id"], [])


@pytest.mark.parametrize("order", [(1, 0), (0, 1)])
def test_where_that_one_was_recorded_in_error_the_other_is_the_visit(
    visits: Visits, cast: Cast, clock: Clock, order: tuple[int, int]
) -> None:
    suggestion, now = visits.booked(3), clock.now
    moments = (now + timedelta(days=3), now + timedelta(days=2))
    clock.forward(days=5)
    course = course_of(visits, cast)
    recorded = {number: visits.session(course, moments[number]) for number in order}
    path = f"{visits.ana}/treatment-sessions/{recorded[0]['id']}"
    assert cast.bo.patch(path, {"status": "cancelled"}, version=1).status_code == 200
    assert (stored(cast, suggestion)["treatment_session_id"], tasks(cast)) == (recorded[1]["id"], [])


def test_one_that_was_dated_wrongly_fulfils_the_visit_that_it_is(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    first = visits.booked(1)
    session = visits.session(course_of(visits, cast), clock.forward(days=2))
    assert stored(cast, first)["treatment_session_id"] == session["id"]
    clock.forward(days=28)
    second = visits.relapse()
    assert cast.bo.post(f"/booking-suggestions/{second}/approve", {"override_reason": "x"}, version=1)
    assert visits.book(cast.scheduler, str(second), version=2, days=1).status_code == 200
    clock.forward(days=2)
    path = f"{visits.ana}/treatment-sessions/{session['id']}"
    moved = cast.bo.patch(path, {"at": clock.now.isoformat()}, version=1)
    assert moved.status_code == 200, moved.text
    assert stored(cast, first)["treatment_session_id"] is None
    assert stored(cast, str(second))["treatment_session_id"] == session["id"]


def test_one_that_is_corrected_to_the_day_of_a_booked_visit_is_that_visit(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.booked(1)
    session = visits.session(course_of(visits, cast), clock.forward(days=18))
    assert stored(cast, suggestion)["state"] == "booked", "too late to be it"
    path, right = f"{visits.ana}/treatment-sessions/{session['id']}", clock.now - timedelta(days=17)
    assert cast.bo.patch(path, {"at": right.isoformat()}, version=1).status_code == 200
    assert stored(cast, suggestion)["treatment_session_id"] == session["id"]


def test_another_hour_of_a_session_that_was_none_makes_no_visit_of_it(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.approved()
    session = visits.session(course_of(visits, cast), clock.forward(days=1))
    assert visits.book(cast.scheduler, suggestion, version=2, days=2).status_code == 200
    path, earlier = f"{visits.ana}/treatment-sessions/{session['id']}", clock.now - timedelta(hours=1)
    assert cast.bo.patch(path, {"at": earlier.isoformat()}, version=1).status_code == 200
    assert stored(cast, suggestion)["state"] == "booked"


def test_the_right_date_of_an_earlier_session_takes_nobody_the_visit_that_is_still_to_come(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.approved()
    session = visits.session(course_of(visits, cast), clock.forward(days=4) - timedelta(days=3))
    assert visits.book(cast.scheduler, suggestion, version=2, days=2).status_code == 200
    path, yesterday = f"{visits.ana}/treatment-sessions/{session['id']}", clock.now - timedelta(days=1)
    assert cast.bo.patch(path, {"at": yesterday.isoformat()}, version=1).status_code == 200
    assert stored(cast, suggestion)["state"] == "booked"
    assert cast.ana.get(f"/visits/{suggestion}").json["state"] == "booked", "she is expected the day after"


def test_one_that_was_behind_another_visit_is_none_that_is_still_to_come(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    first = visits.booked(1)
    session = visits.session(course_of(visits, cast), clock.forward(days=2))
    clock.forward(days=28)
    second = visits.relapse()
    assert cast.bo.post(f"/booking-suggestions/{second}/approve", {"override_reason": "x"}, version=1)
    assert visits.book(cast.scheduler, str(second), version=2, days=2).status_code == 200
    path, right = f"{visits.ana}/treatment-sessions/{session['id']}", clock.forward(hours=1)
    assert cast.bo.patch(path, {"at": right.isoformat()}, version=1).status_code == 200
    assert (stored(cast, str(second))["state"], tasks(cast)) == ("booked", [("session_taken_off", first)])


def test_one_that_was_recorded_twice_is_still_behind_its_visit_when_either_goes(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.booked(1)
    course, at = course_of(visits, cast), clock.forward(days=1)
    first, second = visits.session(course, at), visits.session(course, clock.forward(minutes=5))
    assert stored(cast, suggestion)["treatment_session_id"] == first["id"]
    path = f"{visits.ana}/treatment-sessions/{first['id']}"
    assert cast.bo.patch(path, {"status": "cancelled"}, version=1).status_code == 200
    assert (stored(cast, suggestion)["treatment_session_id"], tasks(cast)) == (second["id"], [])
