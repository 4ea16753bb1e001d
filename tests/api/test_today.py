"""Today, the zone and the check-in plan on the wire."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.app import create_app
from server.clinical.crisis_lines import SHIPPED
from server.database import Database
from server.models import ZoneChange
from server.services.errors import Stale
from server.services.journal import check_in_plan as check_in_plans
from server.settings import Settings, SettingsError
from tests.cast import Cast, Person, as_work, entry
from tests.conftest import Clock
from tests.visits import COURSE, Visits

PHQ = {"instrument": "phq-9", "anchor": "session", "offsets": [-1, 1], "every_days": 14, "open_days": 3}
RHYTHM = {
    "reminders": True,
    "remind_at": "20:00",
    "every_days": 1,
    "quiet_from": "22:00",
    "quiet_until": "07:00",
    "pause": None,
}


def log(person: Person, clock: Clock) -> None:
    assert person.put(f"/entries/{uuid7()}", entry(clock.now)).status_code == 201


def set_rhythm(person: Person, version: int = 1, **changes: Any) -> Any:
    return person.put("/me/check-in-plan", {**RHYTHM, **changes}, version)


def changes_of_zone(database: Database) -> list[tuple[str, datetime]]:
    with database.read() as session:
        return [(c.zone, c.since) for c in session.scalars(select(ZoneChange).order_by(ZoneChange.since))]


def test_the_diary_is_due_until_ana_has_logged(cast: Cast, clock: Clock) -> None:
    today = cast.ana.get("/me/today").json
    assert (today["local_day"], today["zone"]) == ("2026-03-02", "Europe/Oslo")
    assert today["occurrences"] == [
        {
            "key": "diary:2026-03-02",
            "instrument": None,
            "day": "2026-03-02",
            "until": "2026-03-03T03:00:00+00:00",
            "done": False,
        }
    ]
    log(cast.ana, clock)
    assert [o["done"] for o in cast.ana.get("/me/today").json["occurrences"]] == [True]
    clock.forward(days=1)
    assert [o["done"] for o in cast.ana.get("/me/today").json["occurrences"]] == [False]


def test_taking_the_only_entry_back_makes_the_diary_due_again(cast: Cast, clock: Clock) -> None:
    path = f"/entries/{uuid7()}"
    cast.ana.put(path, entry(clock.now))
    cast.ana.delete(path, version=1)
    assert [o["done"] for o in cast.ana.get("/me/today").json["occurrences"]] == [False]


def test_the_day_starts_at_four(cast: Cast, clock: Clock) -> None:
    clock.now = datetime(2026, 3, 3, 2, 59, tzinfo=UTC)  # 03:59 in Oslo
    assert cast.ana.get("/me/today").json["local_day"] == "2026-03-02"
    clock.forward(minutes=1)
    assert cast.ana.get("/me/today").json["local_day"] == "2026-03-03"


def test_the_watch_hours_are_honest_in_the_patients_own_time(cast: Cast, clock: Clock) -> None:
    assert cast.admin.post("/rota/arm").status_code == 200
    assert cast.ana.get("/me/today").json["watch"]["reads_now"] is True
    clock.now = datetime(2026, 3, 6, 18, 30, tzinfo=UTC)  # a Friday evening
    cast.ana.patch("/me/zone", {"zone": "America/New_York"})
    watch = cast.ana.get("/me/today").json["watch"]
    assert watch["reads_now"] is False
    assert watch["next_read_at"] == "2026-03-09T07:00:00+00:00"  # Monday, 08:00 in Oslo
    assert watch["next_read_local"] == "2026-03-09T03:00:00"  # by then summer time in New York
    assert "not watched in real time" in watch["text"]


def test_the_crisis_lines_are_those_of_the_patients_country_with_their_review(cast: Cast) -> None:
    cast.ana.patch("/me/zone", {"zone": "Europe/London"})
    crisis = cast.ana.get("/me/today").json["crisis"]
    assert crisis["emergency_number"] == "999 or 112"
    assert "116 123 (Samaritans)" in crisis["crisis_lines"]
    assert crisis["lines"][0] == {"number": "116 123", "name": "Samaritans", "hours": "always"}
    assert crisis["reviewed_on"] == SHIPPED.of("GB").reviewed_on.isoformat()


def test_a_clinic_may_switch_the_safety_question_off_and_an_answer_is_heeded_all_the_same(
    cast: Cast, clock: Clock
) -> None:
    assert cast.ana.get("/me/today").json["asks_safety_question"] is True
    assert cast.admin.patch("/clinic", {"asks_safety_question": False}).status_code == 200
    assert cast.ana.get("/me/today").json["asks_safety_question"] is False
    answer = cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often"))
    assert answer.json["notice"]["kind"] == "crisis_lines"
    assert [alert["family"] for alert in cast.bo.get("/alerts").json["items"]] == ["safety"]


def test_production_refuses_crisis_lines_nobody_has_reviewed_for_a_year(tmp_path: Path) -> None:
    production = Settings(
        environment="production", data_dir=tmp_path, jwt_key=token_urlsafe(48), public_url="https://j.example"
    )
    reviewed = SHIPPED.of("GB").reviewed_on
    anniversary = datetime.combine(reviewed.replace(year=reviewed.year + 1), datetime.min.time(), UTC)
    assert create_app(production, lambda: anniversary)
    late = anniversary + timedelta(days=1)
    with pytest.raises(SettingsError, match="were last reviewed more than 12 months ago"):
        create_app(production, lambda: late)
    assert create_app(replace(production, environment="development"), lambda: late)


def test_a_scale_is_due_around_the_sessions(cast: Cast, clock: Clock, visits: Visits) -> None:
    answer = cast.bo.put(f"{visits.ana}/check-in-plan", {"scales": [PHQ]}, version=1)
    assert (answer.status_code, answer.json["version"]) == (200, 2)
    session = {"status": "planned", "at": (clock.now + timedelta(days=1)).isoformat()}
    course = cast.bo.post(f"{visits.ana}/courses", COURSE).json["id"]
    made = cast.bo.post(f"{visits.ana}/treatment-sessions", {**session, "course_id": course})
    assert made.status_code == 201, made.text
    found = cast.ana.get("/me/today").json["occurrences"][1:]
    assert [(o["key"], o["until"]) for o in found] == [("phq-9:2026-03-02", "2026-03-05T03:00:00+00:00")]


def test_a_scale_is_done_once_it_was_filled_for_its_occurrence(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=1))
    path = f"/patients/{cast.ana.patient_id}/check-in-plan"
    assert cast.bo.put(path, {"scales": [PHQ]}, 1).status_code == 200

    def scale() -> Any:
        found = cast.ana.get("/me/today").json["occurrences"]
        return next(o for o in found if o["instrument"] == "phq-9")

    assert scale()["done"] is False
    filled = {
        "instrument": "phq-9",
        "instrument_version": 1,
        "locale": "en",
        "occurrence": scale()["key"],
        "answers": {f"q{n}": 0 for n in range(1, 10)},
        "occurred_at": clock.now.isoformat(),
        "zone": "Europe/Oslo",
    }
    other = {**filled, "instrument": "phq-2", "answers": {"q1": 0, "q2": 0}}
    del other["occurrence"]
    assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", other).status_code == 201
    assert scale()["done"] is False, "another scale does not answer it"
    assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", filled).status_code == 201
    assert scale()["done"] is True


def test_the_plan_is_the_usual_one_until_somebody_changes_it(cast: Cast) -> None:
    answer = cast.ana.get("/me/check-in-plan")
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"v1"')
    ana = str(cast.ana.patient_id)
    assert answer.json == {"patient_id": ana, **RHYTHM, "scales": [], "version": 1}


def test_ana_sets_her_rhythm_and_bo_the_scales_and_neither_touches_the_other(cast: Cast) -> None:
    assert set_rhythm(cast.ana, remind_at="18:30", every_days=2).status_code == 200
    path = f"/patients/{cast.ana.patient_id}/check-in-plan"
    assert cast.bo.put(path, {"scales": [PHQ]}, version=2).status_code == 200
    plan = cast.ana.get("/me/check-in-plan").json
    assert (plan["remind_at"], plan["every_days"], plan["version"]) == ("18:30", 2, 3)
    assert plan["scales"] == [{**PHQ, "first_day": None}]
    assert cast.bo.get(path).json == plan


def test_a_plan_is_changed_by_the_version_it_had(cast: Cast) -> None:
    assert cast.ana.put("/me/check-in-plan", RHYTHM).status_code == 428
    set_rhythm(cast.ana)
    stale = set_rhythm(cast.ana, version=1, remind_at="19:00")
    assert (stale.status_code, stale.json["current"]["version"]) == (412, 2)


def test_a_plan_that_is_sent_again_because_its_answer_was_lost_is_no_change(cast: Cast) -> None:
    wanted = {"remind_at": "18:30", "pause": {"first": "2026-03-02", "last": "2026-03-20"}}
    answers = [set_rhythm(cast.ana, version=1, **wanted) for _ in range(2)]
    assert [(one.status_code, one.json["version"]) for one in answers] == [(200, 2), (200, 2)]
    assert answers[0].json == answers[1].json
    path = f"/patients/{cast.ana.patient_id}/check-in-plan"
    assert cast.bo.put(path, {"scales": [PHQ]}, version=2).status_code == 200
    late = set_rhythm(cast.ana, version=1, **wanted).json
    assert (late["version"], len(late["scales"])) == (3, 1)
    assert set_rhythm(cast.ana, version=1, remind_at="18:30").status_code == 412


def test_a_plan_of_a_file_takes_no_place_of_one_that_was_changed_here_though_it_says_the_same(
    cast: Cast, app: Flask, database: Database
) -> None:
    set_rhythm(cast.ana, remind_at="18:30")
    path, ana = f"/patients/{cast.ana.patient_id}/check-in-plan", cast.ana.patient_id
    assert cast.bo.put(path, {"scales": [PHQ]}, version=2).status_code == 200
    assert ana is not None
    with database.write() as session:
        work = as_work(app, cast.bo, session)
        said = check_in_plans.content(check_in_plans.get(work, ana))
        with pytest.raises(Stale):
            check_in_plans.restore(work, ana, said)
    assert cast.bo.get(path).json["version"] == 3


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"remind_at": "23:00"}, "/remind_at"),
        ({"remind_at": "24:00"}, "/remind_at"),
        ({"remind_at": "8:00"}, "/remind_at"),
        ({"every_days": 4}, "/every_days"),
        ({"pause": {"first": "2026-03-02", "last": "2026-06-01"}}, "/pause/last"),
        ({"pause": {"first": "2026-03-02", "last": "2026-03-01"}}, "/pause/last"),
    ],
)
def test_a_rhythm_that_cannot_work_is_refused_by_name(
    cast: Cast, changes: dict[str, Any], pointer: str
) -> None:
    answer = set_rhythm(cast.ana, **changes)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert cast.ana.get("/me/check-in-plan").json["version"] == 1


@pytest.mark.parametrize(
    ("scale", "member"),
    [
        ({"instrument": "madrs"}, "instrument"),  # a clinician answers it
        ({"instrument": "nothing"}, "instrument"),
        ({"offsets": [], "every_days": None}, "offsets"),
        ({"offsets": [91]}, "offsets/0"),
        ({"first_day": "2026-03-02"}, "first_day"),
        ({"anchor": "once", "offsets": [], "every_days": None}, "first_day"),
        ({"anchor": "once", "offsets": [], "first_day": "2026-03-02"}, "every_days"),
        ({"anchor": "calendar", "offsets": [], "every_days": None, "first_day": "2026-03-02"}, "every_days"),
        ({"anchor": "calendar", "first_day": "2026-03-02"}, "offsets"),
        ({"open_days": 8}, "open_days"),
    ],
)
def test_a_scale_that_could_never_fall_due_is_refused_by_name(
    cast: Cast, scale: dict[str, Any], member: str
) -> None:
    path = f"/patients/{cast.ana.patient_id}/check-in-plan"
    answer = cast.bo.put(path, {"scales": [{**PHQ, **scale}]}, version=1)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, f"/scales/0/{member}")


def test_a_zone_is_reported_once_however_often_the_phone_says_it(cast: Cast, database: Database) -> None:
    body = {"zone": "Asia/Tokyo", "since": "2026-03-02T09:00:00Z"}
    for _ in range(3):
        answer = cast.ana.patch("/me/zone", body)
        assert (answer.status_code, answer.json["zone"]) == (200, "Asia/Tokyo")
    assert changes_of_zone(database) == [("Asia/Tokyo", datetime(2026, 3, 2, 9, tzinfo=UTC))]
    assert cast.ana.get("/me/today").json["zone"] == "Asia/Tokyo"


def test_a_late_report_of_an_earlier_zone_is_kept_and_moves_nothing(cast: Cast, database: Database) -> None:
    cast.ana.patch("/me/zone", {"zone": "Asia/Tokyo", "since": "2026-03-02T09:00:00Z"})
    for _ in range(2):
        late = cast.ana.patch("/me/zone", {"zone": "Asia/Dubai", "since": "2026-03-02T03:00:00Z"})
        assert late.json["zone"] == "Asia/Tokyo"
    assert [zone for zone, _ in changes_of_zone(database)] == ["Asia/Dubai", "Asia/Tokyo"]


def test_a_late_report_of_where_the_patient_was_before_they_came_home_moves_nothing(
    cast: Cast, database: Database
) -> None:
    home = {"zone": "Europe/Oslo", "since": "2026-03-02T11:00:00Z"}
    for _ in range(2):
        assert cast.ana.patch("/me/zone", home).json["zone"] == "Europe/Oslo"
    late = cast.ana.patch("/me/zone", {"zone": "America/New_York", "since": "2026-03-02T03:00:00Z"})
    assert late.json["zone"] == cast.ana.get("/me/today").json["zone"] == "Europe/Oslo"
    assert [zone for zone, _ in changes_of_zone(database)] == ["America/New_York", "Europe/Oslo"]


def test_a_phone_whose_clock_is_fast_reports_for_now(cast: Cast, clock: Clock, database: Database) -> None:
    cast.ana.patch("/me/zone", {"zone": "Asia/Tokyo", "since": "2026-03-09T09:00:00Z"})
    assert changes_of_zone(database) == [("Asia/Tokyo", clock.now)]


@pytest.mark.parametrize("off", [timedelta(days=-400), timedelta(hours=-5), timedelta(hours=5)])
def test_a_phone_whose_clock_is_off_takes_the_patient_along(
    cast: Cast, clock: Clock, database: Database, off: timedelta
) -> None:
    assert cast.ana.patch("/me/zone", {"zone": "Asia/Tokyo"}).json["zone"] == "Asia/Tokyo"
    clock.forward(hours=3)
    noticed = clock.now
    body = {"zone": "America/New_York", "since": (noticed + off).isoformat()}
    for _ in range(2):
        clock.forward(seconds=20)
        answer = cast.ana.patch("/me/zone", {**body, "sent_at": (clock.now + off).isoformat()})
        assert answer.json["zone"] == "America/New_York"
    assert changes_of_zone(database)[1:] == [("America/New_York", noticed)]


def test_bos_change_of_a_patients_zone_is_recorded_too(cast: Cast, clock: Clock, database: Database) -> None:
    path = f"/patients/{cast.ana.patient_id}"
    assert cast.bo.patch(path, {"zone": "Asia/Tokyo"}, version=1).json["zone"] == "Asia/Tokyo"
    with database.read() as session:
        (change,) = session.scalars(select(ZoneChange))
        assert (change.zone, change.since, change.account_id) == ("Asia/Tokyo", clock.now, cast.bo.account_id)


def test_the_plan_is_for_the_patient_and_their_own_clinic(cast: Cast) -> None:
    path = f"/patients/{cast.ana.patient_id}/check-in-plan"
    assert cast.cyd.get(path).status_code == 404
    assert cast.cyd.put(path, {"scales": []}, version=1).status_code == 404
    for person in (cast.ana, cast.scheduler, cast.admin):
        assert person.get(path).status_code == 403
        assert person.put(path, {"scales": []}, version=1).status_code == 403
    for person in (cast.bo, cast.coordinator, cast.admin, cast.scheduler, cast.cyd):
        assert person.get("/me/today").status_code == 403
        assert person.get("/me/check-in-plan").status_code == 403
        assert set_rhythm(person).status_code == 403
        assert person.patch("/me/zone", {"zone": "Asia/Tokyo"}).status_code == 403
