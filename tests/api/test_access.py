"""Who may not: Cyd finds nothing anywhere, and each role stays in its own rooms."""

from typing import Any

from tests.cast import Cast
from tests.conftest import Clock
from tests.visits import COURSE, Visits

Call = tuple[str, str, Any]


def clinical(visits: Visits, suggestion: str, course: str, session: str, alert: str) -> list[Call]:
    ana = visits.ana
    planned = {"course_id": course, "status": "planned", "at": "2026-03-05T09:00:00Z"}
    return [
        ("GET", f"{ana}/courses", None),
        ("POST", f"{ana}/courses", COURSE),
        ("PATCH", f"{ana}/courses/{course}", {"phase": "taper"}),
        ("GET", f"{ana}/treatment-sessions", None),
        ("POST", f"{ana}/treatment-sessions", planned),
        ("PATCH", f"{ana}/treatment-sessions/{session}", {"status": "cancelled"}),
        ("GET", f"{ana}/trend", None),
        ("GET", f"{ana}/trend.svg", None),
        ("GET", f"{ana}/watch", None),
        ("GET", f"/alerts/{alert}", None),
        ("POST", f"/alerts/{alert}/acknowledge", None),
        ("POST", f"/alerts/{alert}/resolve", {"outcome": "contacted", "note": "x"}),
        ("GET", f"/booking-suggestions/{suggestion}", None),
        ("POST", f"/booking-suggestions/{suggestion}/approve", {"override_reason": "x"}),
        ("POST", f"/booking-suggestions/{suggestion}/change", {"minutes": 60, "reason": "x"}),
        ("POST", f"/booking-suggestions/{suggestion}/dismiss", {"reason": "x"}),
    ]


def calls(visits: Visits, clock: Clock) -> list[Call]:
    course = visits.on_treatment()
    session = visits.session(course, clock.now)["id"]
    suggestion = str(visits.relapse())
    alert = visits.cast.bo.get("/alerts").json["items"][0]["id"]
    return clinical(visits, suggestion, course, session, alert)


def test_cyd_gets_404_everywhere_and_changes_nothing(visits: Visits, cast: Cast, clock: Clock) -> None:
    wanted = calls(visits, clock)
    before = state(cast)
    for method, path, body in wanted:
        assert cast.cyd.send(method, path, body, version=1).status_code == 404, (method, path)
    for path in ("/alerts", "/booking-suggestions", f"/alerts?patient_id={cast.ana.patient_id}"):
        assert cast.cyd.get(path).json["items"] == []
    assert state(cast) == before


def test_patient_and_scheduling_system_get_403_on_the_care_teams_routes(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    lists: list[Call] = [("GET", "/alerts", None), ("GET", "/booking-suggestions", None)]
    for method, path, body in calls(visits, clock) + lists:
        for person in (cast.ana, cast.scheduler, cast.admin):
            assert person.send(method, path, body, version=1).status_code == 403, (method, path)


def test_the_inbox_is_for_the_scheduling_system_alone(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    inbox = "/inbox/booking-suggestions"
    for person in (cast.ana, cast.bo, cast.coordinator, cast.admin, cast.cyd):
        assert person.get(inbox).status_code == 403
        assert person.get(f"{inbox}/{suggestion}").status_code == 403
        assert person.post(f"{inbox}/{suggestion}/acknowledge", version=2).status_code == 403
        assert visits.book(person, suggestion, version=2).status_code == 403


def test_only_a_patient_has_a_trend_of_their_own(cast: Cast) -> None:
    for person in (cast.bo, cast.coordinator, cast.admin, cast.scheduler):
        assert person.get("/me/trend").status_code == 403
    assert cast.other_patient.get("/me/trend").status_code == 200


def state(cast: Cast) -> list[Any]:
    ana = f"/patients/{cast.ana.patient_id}"
    paths = (f"{ana}/courses", f"{ana}/treatment-sessions", "/alerts", "/booking-suggestions")
    return [cast.bo.get(path).json["items"] for path in paths]
