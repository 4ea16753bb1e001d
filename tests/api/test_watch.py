"""The whole road from a diary to the watch, an alert and a draft, on the wire."""

from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from server.database import Database
from server.models import CheckInPlan
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.scales import filled
from tests.visits import Visits

GOOD = {"mood": 8, "interest": 8, "anxiety": 1, "restlessness": 1, "sleep_quality": 8}
BAD = {"mood": 2, "interest": 2, "anxiety": 8, "restlessness": 8, "sleep_quality": 2}


def test_symptoms_that_return_show_in_the_watch_raise_an_alert_and_draft_a_visit(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=29))
    clock.now -= timedelta(days=7)
    visits.log(20, items=GOOD)
    for _ in range(7):
        clock.forward(days=1)
        visits.log(1, items=BAD)
    (mood,) = cast.bo.get(f"{visits.ana}/watch").json["arms"]
    assert (mood["arm"], mood["latest"]["state"], mood["latest"]["signal"]) == ("mood", "relapsed", True)
    assert (mood["latest"]["day"], mood["latest"]["policy_version"]) == ("2026-03-02", 1)
    assert mood["latest"]["evidence"]["baseline"]["session"] == "2026-02-01"
    days = [day["day"] for day in mood["history"]]
    assert days == sorted(set(days))
    assert mood["history"][0]["state"] == "baseline"
    (alert,) = cast.bo.get("/alerts").json["items"]
    (draft,) = cast.bo.get("/booking-suggestions").json["items"]
    assert (alert["family"], draft["alert_id"]) == ("mood_relapse", alert["id"])
    assert (draft["state"], draft["reason"], draft["blocks"]) == ("draft", "relapse_signal", [])


def check_relapse_is_told_since(visits: Visits, cast: Cast, session: str) -> None:
    """Check that Bo is alerted, and that ``session`` (its day) is the one measured from."""
    (mood,) = cast.bo.get(f"{visits.ana}/watch").json["arms"]
    assert mood["latest"]["evidence"]["baseline"]["session"] == session
    (alert,) = cast.bo.get("/alerts").json["items"]
    assert alert["family"] == "mood_relapse"


@pytest.mark.long
def test_after_half_a_year_of_weekly_sessions_symptoms_that_return_are_still_told(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    course, today = visits.course(), clock.now
    for back in range(196, 0, -7):
        visits.session(course, today - timedelta(days=back))
    clock.now = today - timedelta(days=166)
    visits.log(30, items=GOOD)
    clock.now = today - timedelta(days=6)
    visits.log(20, items=GOOD)
    clock.now = today
    visits.log(6, items=BAD)
    check_relapse_is_told_since(visits, cast, "2025-08-18")


def test_whoever_comes_in_the_midst_of_fortnightly_sessions_is_watched_from_there_on(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    course, today = visits.course(), clock.now
    for back in range(196, 0, -14):
        visits.session(course, today - timedelta(days=back))
    clock.now = today - timedelta(days=6)
    visits.log(25, items=GOOD)
    clock.now = today
    visits.log(6, items=BAD)
    check_relapse_is_told_since(visits, cast, "2026-01-19")


def test_the_watch_asks_for_the_scale_that_can_confirm_once_and_for_three_days(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=29))
    clock.now -= timedelta(days=3)
    visits.log(24, items=GOOD)
    asked_on: list[str] = []
    for _ in range(6):
        clock.forward(days=1)
        visits.log(1, items=BAD)
        keys = [due["key"] for due in cast.ana.get("/me/today").json["occurrences"] if due["instrument"]]
        asked_on += keys
    assert asked_on == ["phq-9:2026-03-01"] * 3  # from the second bad day on
    (mood,) = cast.bo.get(f"{visits.ana}/watch").json["arms"]
    (asked,) = mood["asked"]
    assert asked == {"instrument": "phq-9", "day": "2026-03-01", "last_day": "2026-03-03", "done": False}
    filled_late = filled(clock.now, occurrence=asked_on[0])
    assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", filled_late).status_code == 201
    (mood,) = cast.bo.get(f"{visits.ana}/watch").json["arms"]
    assert [one["done"] for one in mood["asked"]] == [True]


def test_the_care_team_decides_what_the_watch_asks_for(visits: Visits, cast: Cast, clock: Clock) -> None:
    scale = {"instrument": "gad-7", "anchor": "watch", "open_days": 2}
    plan = f"{visits.ana}/check-in-plan"
    assert cast.bo.put(plan, {"scales": [scale]}, version=1).status_code == 200
    visits.session(visits.course(), clock.now - timedelta(days=29))
    visits.log(25, items=GOOD)
    assert [o["key"] for o in cast.ana.get("/me/today").json["occurrences"]] == ["diary:2026-03-02"]
    clock.forward(days=2)
    visits.log(2, items=BAD)
    keys = [due["key"] for due in cast.ana.get("/me/today").json["occurrences"]]
    assert keys == ["diary:2026-03-04", "gad-7:2026-03-04"]


def test_the_watch_never_asks_for_a_scale_the_clinic_has_no_words_for(
    visits: Visits, cast: Cast, clock: Clock, database: Database
) -> None:
    scale = {"instrument": "gad-7", "anchor": "watch"}
    assert cast.bo.put(f"{visits.ana}/check-in-plan", {"scales": [scale]}, version=1).status_code == 200
    with database.write() as session:  # as an import may leave it
        plan = session.get_one(CheckInPlan, (cast.ana.clinic_id, cast.ana.patient_id))
        plan.scales = [{**plan.scales[0], "instrument": "who-5"}]
    visits.session(visits.course(), clock.now - timedelta(days=29))
    visits.log(25, items=GOOD)
    clock.forward(days=2)
    visits.log(2, items=BAD)
    (mood,) = cast.bo.get(f"{visits.ana}/watch").json["arms"]
    assert [one["instrument"] for one in mood["asked"]] == ["phq-9"], "the usual one instead"


def test_what_late_data_show_of_the_past_is_no_reason_to_ask_now(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=29))
    visits.log(27, items=GOOD)
    late = [entry(clock.now - timedelta(days=back, hours=1), items=BAD) for back in (4, 5, 6, 7)]
    for one in late:
        assert cast.ana.put(f"/entries/{uuid7()}", one).status_code == 201
    (mood,) = cast.bo.get(f"{visits.ana}/watch").json["arms"]
    assert mood["asked"] == []


def test_nothing_was_judged_where_nothing_was_logged(visits: Visits, cast: Cast) -> None:
    found = cast.bo.get(f"{visits.ana}/watch").json
    assert (found["arms"], found["activation"]["latest"], found["activation"]["history"]) == ([], None, [])
    assert {item["side"] for item in found["activation"]["levels"].values()} == {"unknown"}


def test_the_watch_is_for_clinicians_alone(visits: Visits, cast: Cast) -> None:
    for person in (cast.ana, cast.coordinator, cast.admin, cast.scheduler):
        assert person.get(f"{visits.ana}/watch").status_code == 403
