"""A patient who was registered twice has one record in the end, as docs/operations.md has it."""

from datetime import timedelta

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from jobs import erase, import_export, whose_export
from jobs.around import Around
from jobs.problem import Problem
from server.database import Database
from tests.cast import Cast, Person, entry, new_patient, push, pushed
from tests.conftest import Clock
from tests.scales import filled

COURSE = {"route": "intranasal", "condition": "depression", "phase": "induction", "started_on": "2026-02-20"}
COURSE |= {"min_interval_days": 3, "max_interval_days": 14}


@pytest.fixture
def second(app: Flask, cast: Cast) -> Person:
    """Ana once more, under another address."""
    found = new_patient(app, cast.ana.clinic_id, "Ana+2", cast.bo.account_id)
    assert cast.bo.patch(f"/patients/{found.patient_id}", {"name": "Ana"}, version=1).status_code == 200
    return found


def lives(cast: Cast, clock: Clock, who: Person, days_ago: int) -> None:
    """A session, and three days of the diary."""
    record = f"/patients/{who.patient_id}"
    session = {"course_id": cast.bo.post(f"{record}/courses", COURSE).json["id"], "status": "delivered"}
    session["at"] = (clock.now - timedelta(days=days_ago)).isoformat()
    assert cast.bo.post(f"{record}/treatment-sessions", session).status_code == 201
    felt = [clock.now - timedelta(days=day, hours=days_ago) for day in range(3)]
    push(who, [pushed("entry", entry(moment, note=str(who.patient_id))) for moment in felt])


def test_a_patient_who_was_registered_twice_has_one_record_in_the_end(
    cast: Cast, second: Person, database: Database, clock: Clock, around: Around
) -> None:
    kept, gone = f"/patients/{cast.ana.patient_id}", f"/patients/{second.patient_id}"
    lives(cast, clock, cast.ana, 2), lives(cast, clock, second, 5)
    assert second.put(f"/questionnaire-responses/{uuid7()}", filled(clock.now)).status_code == 201
    assert second.put(f"/entries/{uuid7()}", entry(clock.now, safety="often")).status_code == 201
    (alert,) = cast.bo.get("/alerts").json["items"]
    done = {"outcome": "contacted", "note": "Called her."}
    assert cast.bo.post(f"/alerts/{alert['id']}/resolve", done, version=alert["version"]).status_code == 200
    data = second.get("/me/export").get_data()
    assert cast.ana.patient_id is not None
    plan = import_export.prepare(database, ("demo", cast.ana.patient_id), data, clock.now)
    with pytest.raises(Problem, match="Are they one person"):
        whose_export.check(database, plan)
    taken = import_export.write(database, plan)
    assert (taken.revisions, taken.sessions, taken.refused) == (5, 1, set())
    assert [one["patient_id"] for one in cast.bo.get("/alerts").json["items"]] == [str(cast.ana.patient_id)]

    asked = cast.admin.post(f"{gone}/erasure", {"reason": "mistake"}).json["version"]
    confirmed = cast.admin.post(f"{gone}/erasure/confirm", {"patient_name": "Ana"}, version=asked)
    assert confirmed.status_code == 200
    assert erase.run(around, clock.now) == 1

    assert cast.bo.get(gone).status_code == 404
    assert [one["name"] for one in cast.bo.get("/patients").json["items"]] == ["Ana"]
    assert len(cast.bo.get(f"{kept}/courses").json["items"]) == 1
    assert len(cast.bo.get(f"{kept}/treatment-sessions").json["items"]) == 2
    assert len(cast.ana.get("/entries").json["items"]) == 7
    assert len(cast.ana.get("/questionnaire-responses").json["items"]) == 1
    assert second.get("/me").status_code == 401
    free = cast.bo.post(f"{kept}/invitations", {"email": "ana+2@home.example"})
    assert free.status_code == 201, "the address of the other one opens nothing any more"


def test_of_the_wrong_one_of_two_who_enrolled_no_session_of_the_other_one_comes_along(
    app: Flask, cast: Cast, database: Database, clock: Clock
) -> None:
    """Nia enrolled with a code that was made for Ana's namesake, whose sessions stand in that record."""
    wrong, nia = (
        new_patient(app, cast.ana.clinic_id, "Ana+2", None),
        new_patient(app, cast.ana.clinic_id, "Nia", None),
    )
    lives(cast, clock, wrong, 5)
    assert len(wrong.get("/me/export").json["treatment_sessions"]) == 1
    record = f"/patients/{wrong.patient_id}"
    (session,) = cast.bo.get(f"{record}/treatment-sessions").json["items"]
    path = f"{record}/treatment-sessions/{session['id']}"
    assert cast.bo.patch(path, {"status": "cancelled"}, version=session["version"]).status_code == 200
    data = wrong.get("/me/export").get_data()
    assert nia.patient_id is not None
    taken = import_export.write(
        database, import_export.prepare(database, ("demo", nia.patient_id), data, clock.now)
    )
    assert (taken.revisions, taken.sessions) == (3, 0)
    assert cast.bo.get(f"/patients/{nia.patient_id}/treatment-sessions").json["items"] == []
