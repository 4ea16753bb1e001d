"""What else was reported stands beside an alert, and changes nothing about it."""

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.models import Activation, Assessment
from tests.cast import Cast, Person, entry, push, pushed
from tests.conftest import Clock, rows_of
from tests.visits import Visits

GOOD = {"mood": 8, "interest": 8, "anxiety": 1, "restlessness": 1, "sleep_quality": 8}
BAD = {"mood": 2, "interest": 2, "anxiety": 8, "restlessness": 8, "sleep_quality": 2}
BESIDE: dict[int, dict[str, Any]] = {
    7: {"circumstances": ["medication_changed"]},
    6: {"medication": {"adherence": "no", "opioid_changed": True, "rescue_doses": 2}},
    5: {"side_effects": {"nausea": 2}},
    4: {"circumstances": ["infection", "bereavement"]},
}


def relapses(app: Flask, who: Person, clinician: Person, clock: Clock, beside: bool) -> Any:
    """Let a patient's symptoms return, with or without what may explain it; return the alert."""
    visits = Visits(app, Cast(who, clinician, *[clinician] * 4, who))
    visits.session(visits.course(), clock.now - timedelta(days=29))
    bodies = []
    for back in range(26, -1, -1):
        parts = BESIDE.get(back, {}) if beside else {}
        bodies.append(entry(clock.now - timedelta(days=back), items=GOOD if back > 3 else BAD, **parts))
    push(who, [pushed("entry", body) for body in bodies[:-8]])
    for body in bodies[-8:]:
        assert who.put(f"/entries/{uuid7()}", body).status_code == 201
    (alert,) = clinician.get("/alerts").json["items"]
    return clinician.get(f"/alerts/{alert['id']}").json


def judgements(app: Flask, who: Person) -> list[Any]:
    """Return everything that was judged of a patient, but for its versions of the data."""
    with Surroundings.of(app).database.read() as session:
        assessed = session.scalars(
            select(Assessment)
            .where(Assessment.patient_id == who.patient_id)
            .order_by(Assessment.day, Assessment.arm, Assessment.data_version)
        )
        found = [(row.day, row.arm, row.state, row.signal, row.rules, row.evidence) for row in assessed]
        activated = session.scalars(
            select(Activation).where(Activation.patient_id == who.patient_id).order_by(Activation.day)
        )
        return [*found, *((row.day, row.urgency, row.rules) for row in activated)]


def test_what_else_was_reported_stands_in_the_alert_and_changes_no_judgement(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    alert = relapses(app, cast.ana, cast.bo, clock, beside=True)
    bare = relapses(app, cast.other_patient, cast.cyd, clock, beside=False)
    assert judgements(app, cast.ana) == judgements(app, cast.other_patient)
    told = (
        "Also reported: medication changed on 23 February; medication not taken on 24 February; "
        "opioid changed on 24 February; rescue medication taken on 24 February; nausea on 25 February; "
        "bereavement on 26 February; infection on 26 February."
    )
    assert alert["summary"] == f"{bare['summary']}. {told}"
    assert bare["evidence"]["confounders"] == []
    for key in ("rules", "state", "series", "baseline"):
        assert alert["evidence"][key] == bare["evidence"][key]
    assert alert["evidence"]["confounders"][0] == {
        "what": "medication_changed",
        "days": ["2026-02-23"],
        "text": "medication changed on 23 February",
    }


def test_a_journey_into_another_zone_is_one_of_them(app: Flask, cast: Cast, clock: Clock) -> None:
    body = {"zone": "Asia/Tokyo", "since": (clock.now - timedelta(days=5)).isoformat()}
    still = {**body, "since": (clock.now - timedelta(days=3)).isoformat()}  # a report, and no journey
    assert [cast.ana.patch("/me/zone", one).status_code for one in (body, still)] == [200, 200]
    alert = relapses(app, cast.ana, cast.bo, clock, beside=False)
    assert alert["summary"].endswith("Also reported: another time zone on 25 February.")


def test_a_phone_that_says_where_its_patient_has_been_all_along_is_no_journey(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    at_home = {"zone": "Europe/Oslo", "since": (clock.now - timedelta(days=2)).isoformat()}
    assert cast.ana.patch("/me/zone", at_home).status_code == 200
    assert "zone" not in relapses(app, cast.ana, cast.bo, clock, beside=False)["summary"]
    # The way out, which came late after the way home: both were one.
    away = {"zone": "Asia/Tokyo", "since": (clock.now - timedelta(days=4)).isoformat()}
    at_home["since"] = (clock.now - timedelta(days=3)).isoformat()
    for body in (at_home, away):
        assert cast.other_patient.patch("/me/zone", body).status_code == 200
    alert = relapses(app, cast.other_patient, cast.cyd, clock, beside=False)
    assert alert["summary"].endswith("Also reported: another time zone on 26 February and 27 February.")


def test_circumstances_are_kept_like_tags_sealed_and_in_every_version(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    path = f"/entries/{uuid7()}"
    body = entry(clock.now, circumstances=["travel", "infection"])
    stored = cast.ana.put(path, body).json["entry"]
    assert stored["circumstances"] == ["infection", "travel"]
    again = cast.ana.put(path, {**body, "circumstances": ["infection", "travel"]})
    assert (again.status_code, again.json["outcome"]) == (200, "duplicate"), "a set has no order"
    assert cast.ana.put(path, {**body, "circumstances": []}, version=1).json["entry"]["circumstances"] == []
    first, second = cast.ana.get(f"{path}/revisions").json["items"]
    assert first["content"]["circumstances"] == ["infection", "travel"]
    assert "circumstances" not in second["content"]
    assert cast.ana.put(path, body, version=2).status_code == 200
    (row,) = rows_of(Surroundings.of(app).database)["entries"]
    assert b"infection" not in row["sealed_circumstances"]
    assert "infection" not in str({key: value for key, value in row.items() if "sealed" not in key})
    assert cast.ana.post("/sync", {}).json["changes"][0]["circumstances"] == ["infection", "travel"]
    assert cast.ana.delete(path, version=3).status_code == 204
    assert cast.ana.post("/sync", {}).json["changes"][0]["circumstances"] == []


def test_a_circumstance_alone_is_an_entry(cast: Cast, clock: Clock) -> None:
    body = {"occurred_at": clock.now.isoformat(), "zone": "Europe/Oslo", "circumstances": ["bereavement"]}
    assert cast.ana.put(f"/entries/{uuid7()}", body).status_code == 201


def test_a_word_outside_the_list_is_refused_and_named(cast: Cast, clock: Clock) -> None:
    refused = cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, circumstances=["infection", "weather"]))
    (error,) = refused.json["errors"]
    assert (refused.status_code, error["pointer"]) == (422, "/circumstances/1")
    assert "medication_changed" in error["detail"], "what it may be instead"
    twice = cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, circumstances=["travel", "travel"]))
    assert [e["pointer"] for e in twice.json["errors"]] == ["/circumstances"]
