"""Suggested visits: guards, decisions, and what the alert behind them keeps."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.database import Database
from server.models import Delivery
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.visits import Visits

PATH = "/booking-suggestions"


def codes(suggestion: dict[str, Any]) -> list[str]:
    return [block["code"] for block in suggestion["blocks"]]


def test_a_relapse_drafts_a_visit_that_nobody_outside_sees_yet(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    stored = cast.bo.get(f"{PATH}/{suggestion}").json
    assert (stored["state"], stored["reason"], stored["urgency"]) == ("draft", "relapse_signal", "P2")
    assert (stored["earliest"], stored["latest"], stored["blocks"]) == ("2026-03-02", "2026-03-09", [])
    assert [move["action"] for move in stored["events"]] == ["draft"]
    assert cast.scheduler.get("/inbox/booking-suggestions").json["items"] == []
    assert cast.scheduler.get(f"/inbox/booking-suggestions/{suggestion}").status_code == 404


def test_a_second_alert_does_not_make_a_second_suggestion(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    assert visits.relapse() is not None
    assert visits.relapse() is None
    assert visits.maintenance() is None
    assert len(cast.bo.get(PATH).json["items"]) == 1


def test_without_a_plan_and_data_an_approval_needs_a_reason(visits: Visits, cast: Cast) -> None:
    suggestion = visits.relapse()
    path = f"{PATH}/{suggestion}/approve"
    assert codes(cast.bo.get(f"{PATH}/{suggestion}").json) == ["PLAN", "DATA"]
    refused = cast.bo.post(path, {}, version=1)
    assert (refused.status_code, refused.json["code"]) == (409, "blocked")
    assert codes(refused.json["current"]) == ["PLAN", "DATA"]
    assert cast.bo.post(path, {"override_reason": "  \n"}, version=1).status_code == 422
    approved = cast.bo.post(path, {"override_reason": "Seen today."}, version=1)
    assert (approved.status_code, approved.json["state"], approved.json["version"]) == (200, "suggested", 2)
    last = cast.bo.get(f"{PATH}/{suggestion}").json["events"][-1]
    assert (last["action"], last["account"]) == ("approve", "Bo")
    assert last["detail"] == {"reason": "Seen today.", "overridden": ["PLAN", "DATA"]}


def test_a_draft_does_not_pass_what_was_reported_after_it(visits: Visits, cast: Cast, clock: Clock) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="plan", side_effects={"mania": 2}))
    refused = cast.bo.post(f"{PATH}/{suggestion}/approve", {}, version=1)
    assert refused.status_code == 409
    assert {"SI_ACUTE", "MANIA"} <= set(codes(refused.json["current"]))


@pytest.mark.parametrize(
    ("report", "code"),
    [
        ({"side_effects": {"blood_in_urine": 1}}, "URO"),
        ({"items": {"craving": 8}}, "MISUSE"),
        ({"side_effects": {"memory": 3}}, "COG"),
        ({"side_effects": {"chest_pain": 3}}, "AE_OPEN"),
    ],
)
def test_a_report_of_last_week_turns_the_visit_into_a_review(
    visits: Visits, cast: Cast, clock: Clock, report: dict[str, Any], code: str
) -> None:
    visits.on_treatment()
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now - timedelta(days=4), **report))
    assert code in codes(cast.bo.get(f"{PATH}/{visits.relapse()}").json)


def test_a_minor_needs_a_review_also_where_only_the_birth_year_is_known(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    # Born in 2008, somebody is 17 or 18 in March 2026: the guard does not guess.
    assert cast.bo.patch(visits.ana, {"birth_year": 2008}, version=1).status_code == 200
    assert codes(cast.bo.get(f"{PATH}/{visits.relapse()}").json) == ["AGE"]


def test_a_session_of_this_week_blocks_by_the_plans_interval(visits: Visits, cast: Cast) -> None:
    course = visits.on_treatment()
    visits.session(course, visits.now - timedelta(days=2))
    stored = cast.bo.get(f"{PATH}/{visits.relapse()}").json
    assert (codes(stored), stored["earliest"]) == (["INTERVAL"], "2026-03-07")


def test_a_planned_session_needs_no_suggestion(visits: Visits) -> None:
    course = visits.on_treatment()
    visits.session(course, visits.now + timedelta(days=2), "planned")
    assert visits.relapse() is None


def test_maintenance_is_suggested_when_the_interval_runs_out_and_not_before(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.on_treatment()
    assert visits.maintenance() is None
    clock.forward(days=7)
    stored = cast.bo.get(f"{PATH}/{visits.maintenance()}").json
    assert (stored["reason"], stored["urgency"], stored["programme"]) == ("maintenance_due", "P3", "mood")
    assert (stored["earliest"], stored["latest"]) == ("2026-03-09", "2026-03-16")


def test_a_course_for_pain_suggests_on_the_pain_arm(visits: Visits, cast: Cast) -> None:
    course = visits.course(condition="crps", max_interval_days=14)
    visits.session(course, visits.now - timedelta(days=10))
    assert cast.bo.get(f"{PATH}/{visits.maintenance()}").json["programme"] == "pain"


def test_a_dismissal_never_closes_the_alert_and_is_not_asked_again(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    path = f"{PATH}/{suggestion}/dismiss"
    dismissed = cast.bo.post(path, {"reason": "Phone call first."}, version=1)
    assert (dismissed.status_code, dismissed.json["state"]) == (200, "withdrawn")
    assert [alert["state"] for alert in cast.bo.get("/alerts").json["items"]] == ["open"]
    clock.forward(days=1)
    assert visits.relapse() is None
    assert visits.maintenance() is None
    assert cast.scheduler.get(f"/inbox{PATH}/{suggestion}").status_code == 404


def test_a_relapse_that_came_back_after_it_was_over_is_asked_anew(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.on_treatment()
    first = visits.relapse()
    cast.bo.post(f"{PATH}/{first}/dismiss", {"reason": "Phone call first."}, version=1)
    (alert,) = cast.bo.get("/alerts").json["items"]
    cast.bo.post(f"/alerts/{alert['id']}/acknowledge", {}, version=alert["version"])
    clock.forward(days=100)
    again = visits.relapse()
    assert again not in (None, first)
    (reopened,) = cast.bo.get("/alerts").json["items"]
    assert (reopened["id"], reopened["state"]) == (alert["id"], "open")


def test_returning_symptoms_take_the_place_of_a_visit_that_only_the_plan_asked_for(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.on_treatment()
    clock.forward(days=10)
    visits.log(5)
    due = visits.maintenance()
    approved = cast.bo.post(f"{PATH}/{due}/approve", {}, version=1)
    assert (approved.json["state"], approved.json["reason"]) == ("suggested", "maintenance_due")
    again = visits.relapse()
    old, new = (cast.bo.get(f"{PATH}/{one}").json for one in (due, again))
    assert (old["state"], old["events"][-1]["detail"]) == ("superseded", {"by": str(again)})
    assert (new["state"], new["reason"], new["urgency"]) == ("draft", "relapse_signal", "P2")
    assert (new["earliest"], new["latest"]) == ("2026-03-12", "2026-03-19")
    assert (old["earliest"], old["latest"]) == ("2026-03-12", "2026-03-19")
    assert visits.relapse() is None
    assert cast.scheduler.get("/inbox/booking-suggestions").json["items"] == []
    assert cast.scheduler.get(f"/inbox{PATH}/{due}").json["state"] == "superseded"


def test_a_no_to_what_the_plan_asked_for_is_none_to_symptoms_that_return(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.on_treatment()
    clock.forward(days=10)
    due = visits.maintenance()
    cast.bo.post(f"{PATH}/{due}/dismiss", {"reason": "She is well."}, version=1)
    assert visits.maintenance() is None
    again = visits.relapse()
    assert again is not None
    cast.bo.post(f"{PATH}/{again}/dismiss", {"reason": "Phone call first."}, version=1)
    assert visits.relapse() is None


def test_a_booked_visit_and_one_for_an_alert_keep_their_place(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.on_treatment()
    clock.forward(days=10)
    due = visits.maintenance()
    cast.bo.post(f"{PATH}/{due}/approve", {"override_reason": "Known."}, version=1)
    assert visits.book(cast.scheduler, str(due), version=2).status_code == 200
    assert visits.relapse() is None
    assert [one["state"] for one in cast.bo.get(PATH).json["items"]] == ["booked"]


def test_a_draft_that_guards_hold_back_is_found_as_a_review(visits: Visits, cast: Cast) -> None:
    suggestion = visits.relapse()
    (held,) = cast.bo.get(f"{PATH}?blocked=true").json["items"]
    assert (held["id"], held["needs_review"], codes(held)) == (str(suggestion), True, ["PLAN", "DATA"])
    assert cast.bo.get(f"{PATH}?blocked=false").json["items"] == []
    body = {"override_reason": "Seen today."}
    approved = cast.bo.post(f"{PATH}/{suggestion}/approve", body, version=1).json
    assert (approved["needs_review"], codes(approved)) == (False, ["PLAN", "DATA"])
    assert cast.bo.get(f"{PATH}?blocked=true").json["items"] == []


def test_a_draft_without_guards_needs_no_review(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    assert cast.bo.get(f"{PATH}?blocked=true").json["items"] == []
    (free,) = cast.bo.get(f"{PATH}?blocked=false").json["items"]
    assert (free["id"], free["needs_review"]) == (str(suggestion), False)


def test_no_reason_approves_a_visit_while_a_safety_alert_is_open(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often"))
    path, body = f"{PATH}/{suggestion}/approve", {"override_reason": "She can come."}
    refused = cast.bo.post(path, body, version=1)
    assert (refused.status_code, refused.json["code"]) == (409, "safety-first")
    assert codes(refused.json["current"]) == ["SI_ACUTE"]
    assert cast.bo.get(f"{PATH}/{suggestion}").json["state"] == "draft"
    for alert in cast.bo.get("/alerts?family=safety").json["items"]:
        closing = {"outcome": "contacted", "note": "Called."}
        cast.bo.post(f"/alerts/{alert['id']}/resolve", closing, version=alert["version"])
    assert cast.bo.post(path, {}, version=1).status_code == 200


def test_a_window_that_passed_expires_and_makes_room_for_another(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.on_treatment()
    first = visits.relapse()
    clock.forward(days=7)
    assert visits.expire() == 0
    clock.forward(days=1)
    assert visits.expire() == 1
    assert visits.expire() == 0
    assert cast.bo.get(f"{PATH}/{first}").json["state"] == "expired"
    second = visits.relapse()
    clock.forward(days=30)
    assert visits.relapse() not in (None, second)
    states = [s["state"] for s in cast.bo.get(PATH).json["items"]]
    assert states == ["expired", "expired", "draft"]


def test_a_stale_version_is_shown_what_is_stored_now(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    for path, body in (("approve", {}), ("dismiss", {"reason": "no"})):
        stale = cast.bo.post(f"{PATH}/{suggestion}/{path}", body, version=1)
        assert (stale.status_code, stale.json["current"]["version"]) == (412, 2)
        assert cast.bo.post(f"{PATH}/{suggestion}/{path}", body).status_code == 428


def test_what_the_table_of_moves_lacks_is_a_conflict(visits: Visits, cast: Cast) -> None:
    suggestion = visits.booked()
    for path, body in (("approve", {}), ("dismiss", {"reason": "no"})):
        illegal = cast.bo.post(f"{PATH}/{suggestion}/{path}", body, version=4)
        assert (illegal.status_code, illegal.json["code"]) == (409, "illegal-move")


def test_suggestions_are_filtered_and_paged(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    visits.relapse()
    mine = f"{PATH}?patient_id={cast.ana.patient_id}"
    assert len(cast.bo.get(f"{mine}&state=draft&limit=1").json["items"]) == 1
    assert cast.bo.get(f"{mine}&state=booked").json["items"] == []
    assert cast.bo.get(f"{PATH}?patient_id={uuid7()}").json["items"] == []


def test_a_coordinator_reads_but_does_not_decide(visits: Visits, cast: Cast) -> None:
    suggestion = visits.relapse()
    assert cast.coordinator.get(f"{PATH}/{suggestion}").status_code == 200
    assert cast.coordinator.post(f"{PATH}/{suggestion}/approve", {}, version=1).status_code == 403


def test_a_visit_that_is_booked_while_a_safety_alert_is_open_is_put_before_the_care_team(
    visits: Visits, cast: Cast
) -> None:
    suggestion = visits.approved()
    plan = {"occurred_at": visits.now.isoformat(), "zone": "Europe/Oslo", "safety": "plan"}
    assert cast.ana.put(f"/entries/{uuid7()}", plan).status_code == 201
    assert visits.book(cast.scheduler, suggestion, version=2).status_code == 200
    (task,) = cast.coordinator.get("/review-tasks").json["items"]
    assert (task["code"], task["suggestion_id"]) == ("safety_first", suggestion)


def test_a_year_that_was_mistyped_is_no_appointment(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    for days in (150 * 365, 3 * 365):
        answer = visits.book(cast.scheduler, suggestion, version=2, days=days)
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/starts_at")


def test_the_care_team_hears_that_a_patient_does_not_want_a_visit(
    visits: Visits, cast: Cast, database: Database
) -> None:
    suggestion = visits.approved()
    said = cast.ana.post(f"/visits/{suggestion}/answer", {"answer": "declined"}, version=2)
    assert said.status_code == 200, said.text
    with database.read() as session:
        rows = session.scalars(select(Delivery).where(Delivery.template == "visit_declined"))
        told = {row.account_id for row in rows}
    assert told == {cast.bo.account_id, cast.coordinator.account_id}
