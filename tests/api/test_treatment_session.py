"""Treatment sessions on the wire, and the days they make judged again."""

from datetime import timedelta

from tests.cast import Cast
from tests.conftest import Clock
from tests.visits import Visits


def test_a_session_takes_the_route_of_its_course_and_the_patients_day(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    late = clock.now.replace(hour=2)  # 03:00 in Oslo: still the evening before
    session = visits.session(visits.course(), late)
    assert (session["route"], session["local_day"]) == ("intranasal", "2026-03-01")
    assert cast.bo.get(f"{visits.ana}/treatment-sessions").json["items"] == [session]


def test_a_delivered_session_stays_on_its_day_when_days_start_at_another_hour(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    session = visits.session(visits.course(), clock.now.replace(hour=2))  # 03:00 in Oslo
    assert cast.admin.patch("/clinic", {"day_start": 2}).status_code == 200
    path = f"{visits.ana}/treatment-sessions/{session['id']}"
    cancelled = cast.bo.patch(path, {"status": "cancelled"}, version=1).json
    assert (cancelled["status"], cancelled["local_day"]) == ("cancelled", "2026-03-01")


def test_a_session_is_delivered_once_and_never_planned_again(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    planned = visits.session(visits.course(), clock.now, "planned")
    path = f"{visits.ana}/treatment-sessions/{planned['id']}"
    delivered = cast.bo.patch(path, {"status": "delivered"}, version=1)
    assert (delivered.status_code, delivered.json["version"]) == (200, 2)
    back = cast.bo.patch(path, {"status": "planned"}, version=2)
    stale = cast.bo.patch(path, {"status": "cancelled"}, version=1)
    assert (back.status_code, back.json["code"]) == (409, "illegal-move")
    assert (stale.status_code, stale.json["current"]["status"]) == (412, "delivered")
    assert cast.bo.patch(path, {"status": "cancelled"}).status_code == 428


def test_a_delivered_session_does_not_lie_in_the_future(visits: Visits, cast: Cast, clock: Clock) -> None:
    course = visits.course()
    body = {"course_id": course, "status": "delivered", "at": (clock.now + timedelta(hours=1)).isoformat()}
    refused = cast.bo.post(f"{visits.ana}/treatment-sessions", body)
    cancelled = cast.bo.post(f"{visits.ana}/treatment-sessions", {**body, "status": "cancelled"})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/at")
    assert (cancelled.status_code, cancelled.json["errors"][0]["pointer"]) == (422, "/status")


def test_a_session_belongs_to_a_course_of_the_same_patient(visits: Visits, cast: Cast, clock: Clock) -> None:
    other = cast.bo.post("/patients", {"name": "Gil", "zone": "Europe/Oslo"}).json["id"]
    body = {"course_id": visits.course(), "status": "planned", "at": clock.now.isoformat()}
    assert cast.bo.post(f"/patients/{other}/treatment-sessions", body).status_code == 404


def test_a_session_makes_its_day_judged_again_and_its_cancellation_too(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.log(3)
    before = cast.bo.get(f"{visits.ana}/watch").json["arms"][0]["latest"]
    session = visits.session(visits.course(), clock.now - timedelta(days=1))
    after = cast.bo.get(f"{visits.ana}/watch").json["arms"][0]["latest"]
    assert (before["state"], after["state"]) == ("no_baseline", "baseline")
    path = f"{visits.ana}/treatment-sessions/{session['id']}"
    cast.bo.patch(path, {"status": "cancelled"}, version=1)
    taken_back = cast.bo.get(f"{visits.ana}/watch").json["arms"][0]
    assert taken_back["latest"]["state"] == "no_baseline"
    assert {day["state"] for day in taken_back["history"]} == {"no_baseline"}
