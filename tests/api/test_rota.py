"""The clinic sets its rota, sees gaps before an alert falls into one, and arms its monitoring."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Role
from server.database import Database
from server.models import Account, AuditEvent, Patient
from tests.cast import Cast, Person, entry, new_staff, pushed
from tests.conftest import Clock
from tests.scales import filled

WEEK = {day: [{"opens": "09:00", "closes": "17:00"}] for day in ("monday", "tuesday", "saturday")}
ONLY_ON_CALL = [["on_call"]]
# The cast meets on a Monday, 13:00 in Oslo.
TONIGHT = {"starts": "2026-03-02T12:00", "ends": "2026-03-09T12:00"}


def rota(**parts: Any) -> dict[str, Any]:
    usual = {"hours": WEEK, "holidays": [], "steps": [["clinicians"]], "fallback_account_id": None}
    return {**usual, **parts}


def put(cast: Cast, **parts: Any) -> Any:
    version = cast.admin.get("/rota").json["version"]
    answer = cast.admin.put("/rota", rota(**parts), version=version)
    assert answer.status_code == 200, answer.text
    return answer.json


def on_call(cast: Cast, who: Person, **parts: Any) -> str:
    body = {"account_id": str(who.account_id), **TONIGHT, **parts}
    answer = cast.coordinator.post("/rota/shifts", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def gaps(cast: Cast, days: int = 14) -> list[tuple[str, str, str]]:
    found = cast.bo.get(f"/rota/coverage?days={days}").json["gaps"]
    return [(gap["starts"], gap["ends"], gap["why"]) for gap in found]


def close(database: Database, *people: Person) -> None:
    with database.write() as session:
        for person in people:
            account = session.get_one(Account, (person.clinic_id, person.account_id))
            account.disabled_at = account.created_at


def test_a_new_clinic_has_office_hours_three_steps_and_is_not_armed(cast: Cast) -> None:
    answer = cast.bo.get("/rota")
    assert answer.headers["ETag"] == '"v1"'
    assert answer.json["hours"]["friday"] == [{"opens": "08:00", "closes": "18:00"}]
    assert answer.json["hours"]["sunday"] == []
    assert [step[0] for step in answer.json["steps"]] == ["own_clinician", "on_call", "clinicians"]
    assert (answer.json["armed_at"], answer.json["fallback_account_id"]) == (None, None)


def test_what_is_set_is_what_is_read(cast: Cast) -> None:
    christmas = {"day": "2026-12-25", "name": "Christmas Day"}
    steps = [["own_clinician"], ["on_call", f"account:{cast.admin.account_id}"]]
    fallback = str(cast.coordinator.account_id)
    told = put(cast, holidays=[christmas], steps=steps, fallback_account_id=fallback)
    assert told == cast.bo.get("/rota").json
    assert told["hours"] == {"wednesday": [], "thursday": [], "friday": [], "sunday": [], **WEEK}
    assert (told["holidays"], told["steps"], told["fallback_account_id"]) == ([christmas], steps, fallback)
    assert told["version"] == 2


def test_who_changes_an_older_rota_is_shown_the_current_one(cast: Cast) -> None:
    put(cast)
    assert cast.admin.put("/rota", rota()).status_code == 428
    stale = cast.admin.put("/rota", rota(), version=1)
    assert stale.status_code == 412
    assert stale.json["current"] == cast.admin.get("/rota").json


def test_only_working_staff_of_the_clinic_can_be_named(cast: Cast, database: Database) -> None:
    close(database, cast.coordinator)
    for stranger in (cast.cyd.account_id, cast.ana.account_id, cast.coordinator.account_id, uuid7()):
        body = rota(steps=[["clinicians"], [f"account:{stranger}"]], fallback_account_id=str(stranger))
        refused = cast.admin.put("/rota", body, version=1)
        assert refused.status_code == 422
        pointers = [error["pointer"] for error in refused.json["errors"]]
        assert pointers == ["/steps/1/0", "/fallback_account_id"]
        shift = cast.admin.post("/rota/shifts", {"account_id": str(stranger), **TONIGHT})
        assert (shift.status_code, shift.json["errors"][0]["pointer"]) == (422, "/account_id")


def test_who_may_do_what(cast: Cast) -> None:
    shift = {"account_id": str(cast.bo.account_id), **TONIGHT}
    for person in (cast.bo, cast.coordinator, cast.ana, cast.scheduler):
        assert person.put("/rota", rota(), version=1).status_code == 403
        assert person.post("/rota/arm").status_code == 403
        assert person.post("/rota/disarm").status_code == 403
    for person in (cast.bo, cast.ana, cast.scheduler):
        assert person.post("/rota/shifts", shift).status_code == 403
    for person in (cast.ana, cast.scheduler):
        for path in ("", "/coverage", "/on-call", "/shifts"):
            assert person.get(f"/rota{path}").status_code == 403


def test_cyds_clinic_sees_nothing_of_it_and_takes_nothing_away(cast: Cast, app: Flask) -> None:
    put(cast)
    shift = on_call(cast, cast.bo)
    assert cast.cyd.get("/rota").json["version"] == 1
    assert cast.cyd.get("/rota/shifts").json["items"] == []
    assert cast.cyd.get("/rota/on-call").json["items"] == []
    assert cast.cyd.delete(f"/rota/shifts/{shift}").status_code == 403
    their_admin = new_staff(app, cast.cyd.clinic_id, Role.CLINIC_ADMIN, "Gil")
    assert their_admin.delete(f"/rota/shifts/{shift}").status_code == 404
    assert cast.admin.delete(f"/rota/shifts/{uuid7()}").status_code == 404
    assert len(cast.bo.get("/rota/shifts").json["items"]) == 1


def test_who_is_on_call_is_told_with_the_end_of_the_shift(cast: Cast, clock: Clock) -> None:
    on_call(cast, cast.bo)
    on_call(cast, cast.bo, ends="2026-03-03T08:00", weekly_until="2026-12-31")
    assert cast.coordinator.get("/rota/on-call").json["items"] == [
        {"account_id": str(cast.bo.account_id), "name": "Bo", "until": "2026-03-09T11:00:00+00:00"}
    ]
    clock.forward(days=8)
    assert cast.coordinator.get("/rota/on-call").json["items"] == []


def test_shifts_are_listed_until_they_are_over(cast: Cast, clock: Clock) -> None:
    once, weekly = on_call(cast, cast.bo), on_call(cast, cast.bo, weekly_until="2026-04-30")
    first = cast.bo.get("/rota/shifts?limit=1").json
    second = cast.bo.get(f"/rota/shifts?limit=1&cursor={first['next_cursor']}").json
    assert [one["id"] for page in (first, second) for one in page["items"]] == [once, weekly]
    assert (first["items"][0]["starts"], second["next_cursor"]) == ("2026-03-02T12:00", None)
    clock.forward(days=20)
    assert [one["id"] for one in _fresh(cast.bo, "/rota/shifts")["items"]] == [weekly]
    clock.forward(days=60)
    assert _fresh(cast.bo, "/rota/shifts")["items"] == []


def _fresh(person: Person, path: str) -> Any:
    answer = person.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_usual_rota_has_no_gap_and_can_be_armed_and_disarmed(
    cast: Cast, clock: Clock, database: Database
) -> None:
    assert cast.bo.get("/rota/coverage").json == {"armed": False, "can_arm": True, "gaps": []}
    armed = cast.admin.post("/rota/arm").json
    assert (armed["armed_at"], armed["armed_by"]) == (clock.now.isoformat(), str(cast.admin.account_id))
    assert cast.admin.post("/rota/arm").json == armed
    assert cast.bo.get("/rota/coverage").json["armed"] is True
    assert cast.admin.post("/rota/disarm").json["armed_at"] is None
    assert cast.admin.post("/rota/disarm").json["version"] == armed["version"] + 1
    with database.read() as session:
        done = session.scalars(
            select(AuditEvent.action).where(AuditEvent.action.startswith("rota.")).order_by(AuditEvent.id)
        )
        assert list(done) == ["rota.arm", "rota.disarm"]


def test_a_clinic_with_hours_without_anybody_can_not_be_armed(cast: Cast) -> None:
    put(cast, steps=ONLY_ON_CALL)
    on_call(cast, cast.bo)
    assert gaps(cast) == [("2026-03-09T11:00:00+00:00", "2026-03-16T12:00:00+00:00", "nobody_on_call")]
    assert gaps(cast, 7) == [("2026-03-09T11:00:00+00:00", "2026-03-09T12:00:00+00:00", "nobody_on_call")]
    assert gaps(cast, 6) == []
    assert cast.bo.get("/rota/coverage?days=6").json["can_arm"] is False
    refused = cast.admin.post("/rota/arm")
    assert (refused.status_code, refused.json["code"]) == (409, "coverage-gaps")
    assert refused.json["errors"] == [
        {"detail": "From 2026-03-09T11:00Z until 2026-03-16T12:00Z nobody is on call."}
    ]


def test_a_gap_that_opens_later_is_listed_at_once_and_does_not_disarm(cast: Cast) -> None:
    put(cast, steps=ONLY_ON_CALL)
    shift = on_call(cast, cast.bo, weekly_until="2026-12-31")
    assert cast.admin.post("/rota/arm").status_code == 200
    assert cast.coordinator.delete(f"/rota/shifts/{shift}").status_code == 204
    coverage = cast.bo.get("/rota/coverage").json
    assert (coverage["armed"], coverage["can_arm"]) == (True, False)
    assert [gap["why"] for gap in coverage["gaps"]] == ["nobody_on_call"]


def test_somebody_on_call_whose_account_is_closed_is_no_cover(cast: Cast, database: Database) -> None:
    put(cast, steps=ONLY_ON_CALL)
    on_call(cast, cast.coordinator, weekly_until="2026-12-31")
    assert gaps(cast) == []
    close(database, cast.coordinator)
    assert [why for _, _, why in gaps(cast)] == ["on_call_unreachable"]
    assert cast.bo.get("/rota/on-call").json["items"] == []


def test_a_fallback_closes_the_gap_and_is_said(cast: Cast, database: Database) -> None:
    put(cast, steps=ONLY_ON_CALL, fallback_account_id=str(cast.coordinator.account_id))
    assert [why for _, _, why in gaps(cast)] == ["fallback_only"]
    assert cast.admin.post("/rota/arm").status_code == 200
    close(database, cast.coordinator)
    assert [why for _, _, why in gaps(cast)] == ["nobody_on_call"]


def test_a_clinic_whose_people_are_all_gone_is_one_long_gap(cast: Cast, database: Database) -> None:
    put(cast, steps=[["own_clinician"], ["clinicians"]])
    close(database, cast.bo)
    assert [why for _, _, why in _admins_gaps(cast)] == ["nobody_reachable"]


def _admins_gaps(cast: Cast) -> list[tuple[str, str, str]]:
    found = cast.admin.get("/rota/coverage").json["gaps"]
    return [(gap["starts"], gap["ends"], gap["why"]) for gap in found]


def test_own_clinicians_cover_a_clinic_only_where_every_patient_has_one(
    cast: Cast, clock: Clock, database: Database
) -> None:
    put(cast, steps=[["own_clinician"]])
    assert gaps(cast) == []
    eva = cast.coordinator.post("/patients", {"name": "Eva", "zone": "Europe/Oslo"}).json["id"]
    assert [why for _, _, why in gaps(cast)] == ["nobody_reachable"]
    # Of whom nobody finds any more, though a legal hold may keep the rows for years, nobody can mend that.
    with database.write() as session:
        session.get_one(Patient, (cast.ana.clinic_id, UUID(eva))).leaving_at = clock.now
    assert gaps(cast) == []


@pytest.mark.parametrize("armed", [False, True])
def test_patients_are_told_who_reads_and_when_by_the_real_hours(
    cast: Cast, clock: Clock, armed: bool
) -> None:
    put(cast, holidays=[{"day": "2026-03-03", "name": "A day off"}])
    if armed:
        cast.admin.post("/rota/arm")
    watch = cast.ana.get("/me/today").json["watch"]
    assert (watch["armed"], watch["reads_now"]) == (armed, armed)
    assert ("has not switched on the monitoring" in watch["text"]) is not armed
    clock.forward(hours=4)  # 17:00 in Oslo; Tuesday is a holiday, then Saturday comes
    watch = cast.ana.get("/me/today").json["watch"]
    assert (watch["reads_now"], watch["next_read_local"]) == (False, "2026-03-07T09:00:00")


@pytest.mark.parametrize("armed", [False, True])
def test_no_receipt_promises_more_than_today_says(cast: Cast, clock: Clock, armed: bool) -> None:
    if armed:
        cast.admin.post("/rota/arm")
    told = cast.ana.get("/me/today").json["watch"]["text"]
    answers = [
        cast.ana.put(f"/entries/{uuid7()}", entry(clock.now)),
        cast.ana.put(f"/questionnaire-responses/{uuid7()}", filled(clock.now)),
        cast.ana.post("/sync", {"items": [pushed("entry", entry(clock.now))]}),
        cast.ana.post("/sync", {}),
    ]
    assert {answer.json["who_reads_this"] for answer in answers} == {told}
    assert ("nobody may be reading" in told) is not armed


def test_another_zone_of_the_clinic_moves_its_hours(cast: Cast) -> None:
    cast.admin.post("/rota/arm")
    assert cast.ana.get("/me/today").json["watch"]["reads_now"] is True
    cast.admin.patch("/clinic", {"zone": "Pacific/Auckland"})
    assert cast.ana.get("/me/today").json["watch"]["reads_now"] is False
