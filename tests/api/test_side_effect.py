"""Side effects on the wire: words for the patient, detail for clinicians, events of a session."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from marshmallow import ValidationError
from sqlalchemy import select
from werkzeug.test import TestResponse

from schemas.entry import EntryBody
from server.api.edge import Surroundings
from server.api.errors import located
from server.api.table import csv_answer
from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.models import AuditEvent
from tests.api.test_entry import new_id
from tests.cast import Cast, Person, entry
from tests.conftest import Clock
from tests.visits import Visits


@pytest.fixture
def session(visits: Visits, clock: Clock) -> dict[str, Any]:
    """A session of Ana's, ten hours ago."""
    return visits.session(visits.course(), clock.now - timedelta(hours=10))


def events_of(cast: Cast, session: dict[str, Any]) -> str:
    return f"/patients/{cast.ana.patient_id}/treatment-sessions/{session['id']}/adverse-events"


def as_csv(who: Person, path: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {who.token}", "Accept": "text/csv"}
    return who.client.get(f"/v1{path}", headers=headers)


def ago(clock: Clock, hours: int) -> str:
    return (clock.now - timedelta(hours=hours)).isoformat()


def log(cast: Cast, clock: Clock, **side_effects: int) -> str:
    name = new_id()
    body = entry(clock.now, side_effects=side_effects)
    assert cast.ana.put(f"/entries/{name}", body).status_code == 201
    return name


def test_the_app_reads_every_term_and_grade_in_words(cast: Cast) -> None:
    found = cast.ana.get("/side-effects").json
    assert [term["term"] for term in found["side_effects"]] == [*SIDE_EFFECTS]
    assert [grade["label"] for grade in found["grades"]] == [
        "none",
        "mild",
        "moderate",
        "severe",
        "emergency",
    ]
    assert found["side_effects"][0] == {"term": "nausea", "label": "Nausea", "emergency_from": 4}


def test_an_entry_answers_words_onset_window_and_triage_wherever_it_is_read(
    cast: Cast, clock: Clock, session: dict[str, Any]
) -> None:
    name = new_id()
    body = entry(clock.now, side_effects={"sedation": 2, "chest_pain": 1, "nausea": 0})
    receipt = cast.ana.put(f"/entries/{name}", body).json
    answered = receipt["entry"]["side_effect_details"]
    assert [(d["term"], d["window"], d["triage"]) for d in answered] == [
        ("chest_pain", "no_window", "P0"),
        ("sedation", "outside", "P3"),
    ]
    assert answered[1] == {
        "term": "sedation",
        "label": "Sleepiness",
        "grade": 2,
        "grade_label": "moderate",
        "grade_text": "It got in the way of some of what I wanted to do.",
        "onset_hours": 10.0,
        "onset_days": 0,
        "onset_source": "report",
        "window": "outside",
        "outlasts_window": True,
        "triage": "P3",
    }
    assert receipt["notice"]["kind"] == "emergency"
    (day, *_) = cast.ana.get("/me/timeline").json["items"]
    (pulled,) = cast.ana.post("/sync", {"cursor": None}).json["changes"]
    read = [
        cast.ana.get(f"/entries/{name}").json,
        *cast.ana.get("/entries").json["items"],
        *cast.bo.get(f"/patients/{cast.ana.patient_id}/entries").json["items"],
        *day["entries"],
        pulled,
        cast.ana.put(f"/entries/{name}", body | {"note": "x"}).json["current"],
    ]
    assert [one["side_effect_details"] for one in read] == [answered] * 6


def test_the_timing_follows_a_session_that_is_recorded_later(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    body = entry(clock.now, side_effects={"nausea": 1}, side_effect_onset={"nausea": ago(clock, hours=4)})
    name = new_id()
    (unknown,) = cast.ana.put(f"/entries/{name}", body).json["entry"]["side_effect_details"]
    cursor = cast.ana.post("/sync", {"cursor": None}).json["next_cursor"]
    visits.session(visits.course(), clock.now - timedelta(hours=6))
    (again,) = cast.ana.post("/sync", {"cursor": cursor}).json["changes"]
    (known,) = again["side_effect_details"]
    timing = ("onset_hours", "onset_source", "window")
    assert [unknown[key] for key in timing] == [None, "stated", "unknown"]
    assert [known[key] for key in timing] == [2.0, "stated", "expected"]


def test_a_session_recorded_after_what_it_explains_says_so_on_the_alert(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    def alert() -> dict[str, Any]:
        (found,) = cast.bo.get("/alerts").json["items"]
        return dict(cast.bo.get(f"/alerts/{found['id']}").json)

    course = visits.course()
    cast.ana.put(f"/entries/{new_id()}", entry(clock.now, side_effects={"dissociation": 1}))
    assert (alert()["urgency"], alert()["evidence"].get("disproved")) == ("P1", None)
    given = visits.session(course, clock.now - timedelta(hours=1))
    assert (alert()["state"], alert()["evidence"]["disproved"]) == ("open", True)
    path = f"{visits.ana}/treatment-sessions/{given['id']}"
    assert cast.bo.patch(path, {"status": "cancelled"}, version=1).status_code == 200
    assert alert()["evidence"]["disproved"] is False, "nothing explains it any more"


@pytest.mark.parametrize(("grade", "urgency"), [(3, "P1"), (4, "P0")])
def test_severe_high_spirits_stand_when_no_session_explains_them_any_more(
    cast: Cast, clock: Clock, visits: Visits, grade: int, urgency: str
) -> None:
    given = visits.session(visits.course(), clock.now - timedelta(hours=2))
    cast.ana.put(f"/entries/{new_id()}", entry(clock.now, side_effects={"euphoria": grade}))
    (told,) = cast.bo.get("/alerts").json["items"]
    assert (told["family"], told["urgency"]) == ("side_effect", urgency)
    path = f"{visits.ana}/treatment-sessions/{given['id']}"
    assert cast.bo.patch(path, {"status": "cancelled"}, version=1).status_code == 200
    after = cast.bo.get(f"/alerts/{told['id']}").json
    assert (after["state"], after["evidence"].get("disproved")) == ("open", None)


def test_severe_high_spirits_stand_when_a_session_is_recorded_later(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    course = visits.course()
    cast.ana.put(f"/entries/{new_id()}", entry(clock.now, side_effects={"euphoria": 4}))
    (told,) = cast.bo.get("/alerts").json["items"]
    assert (told["family"], told["urgency"]) == ("activation", "P0")
    visits.session(course, clock.now - timedelta(hours=2))
    after = cast.bo.get(f"/alerts/{told['id']}").json
    assert (after["state"], after["evidence"].get("disproved")) == ("open", None)


def test_the_patient_says_when_it_began_and_takes_it_back_again(
    cast: Cast, clock: Clock, session: dict[str, Any]
) -> None:
    path, began = f"/entries/{new_id()}", ago(clock, hours=9)
    body = entry(clock.now, side_effects={"sedation": 2}, side_effect_onset={"sedation": began})
    first = cast.ana.put(path, body).json["entry"]
    (stated,) = first["side_effect_details"]
    assert (stated["onset_hours"], stated["onset_source"], stated["window"]) == (1.0, "stated", "expected")
    assert first["side_effect_onset"] == {"sedation": began}
    assert cast.ana.put(path, body).json["outcome"] == "duplicate"
    second = cast.ana.put(path, body | {"side_effect_onset": {}}, version=1).json["entry"]
    assert (second["side_effect_onset"], second["side_effect_details"][0]["onset_hours"]) == ({}, 10.0)
    kept = cast.ana.get(f"{path}/revisions").json["items"]
    assert [one["content"].get("side_effect_onset") for one in kept] == [{"sedation": began}, None]
    cast.ana.delete(path, version=2)
    (gone,) = cast.ana.post("/sync", {"cursor": None}).json["changes"]
    assert (gone["deleted"], gone["side_effect_onset"], gone["side_effect_details"]) == (True, {}, [])


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"side_effect_onset": {"headache": "2026-03-01T10:00:00+00:00"}}, "/side_effect_onset/headache"),
        ({"side_effect_onset": {"nausea": "2026-03-02T12:00:01+00:00"}}, "/side_effect_onset/nausea"),
        ({"side_effect_onset": {"nausea": "2026-01-31T11:59:59+00:00"}}, "/side_effect_onset/nausea"),
        ({"side_effect_onset": {"nausea": "2026-03-01T10:00:00"}}, "/side_effect_onset/nausea"),
        ({"side_effect_details": []}, "/side_effect_details"),
    ],
)
def test_an_onset_that_cannot_be_and_what_is_the_servers_own_are_refused(
    said: dict[str, Any], pointer: str
) -> None:
    moment = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with pytest.raises(ValidationError) as problem:
        EntryBody().load(entry(moment, side_effects={"nausea": 1}) | said)
    assert [one["pointer"] for one in located({"json": problem.value.messages})] == [pointer]


def test_the_events_of_a_session_end_with_the_next_one(
    cast: Cast, clock: Clock, visits: Visits, session: dict[str, Any]
) -> None:
    first = log(cast, clock, nausea=2)
    clock.forward(hours=5)
    second = log(cast, clock, nausea=1)
    clock.forward(days=1)
    log(cast, clock, nausea=0)
    again = visits.session(session["course_id"], clock.now)
    clock.forward(hours=1)
    cast = visits.cast
    log(cast, clock, nausea=3)
    found = cast.bo.get(events_of(cast, session)).json
    (event,) = found["events"]
    assert found["until"] == again["at"]
    assert event["entries"] == [first, second]
    assert (event["grade"], event["onset_hours"], event["window"]) == (2, 10.0, "expected")
    assert event["entered_by"] == ["patient"]
    assert (event["first_reported_on"], event["resolved_on"]) == ("2026-03-02", "2026-03-03")
    (later,) = cast.bo.get(events_of(cast, again)).json["events"]
    assert (later["grade"], later["triage"], later["resolved_on"]) == (3, "P2", None)


def test_an_event_keeps_onset_worst_and_whose_hand_apart(
    cast: Cast, clock: Clock, session: dict[str, Any]
) -> None:
    began = {"side_effect_onset": {"headache": ago(clock, hours=9)}}
    cast.ana.put(f"/entries/{new_id()}", entry(clock.now, side_effects={"headache": 1}, **began))
    clock.forward(days=3)
    worse = entry(clock.now, side_effects={"headache": 4}, entered_by="caregiver")
    cast.ana.put(f"/entries/{new_id()}", worse)
    (event,) = cast.bo.get(events_of(cast, session)).json["events"]
    assert (event["onset_hours"], event["onset_source"]) == (1.0, "stated")
    assert (event["grade"], event["worst_hours"], event["triage"]) == (4, 82.0, "P0")
    assert (event["first_reported_on"], event["worst_reported_on"]) == ("2026-03-02", "2026-03-05")
    assert event["entered_by"] == ["caregiver", "patient"]


def test_the_events_come_as_a_table_too(cast: Cast, clock: Clock, session: dict[str, Any]) -> None:
    name = log(cast, clock, nausea=2, headache=1)
    answer = as_csv(cast.bo, events_of(cast, session))
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    shown = ("term", "grade", "window", "outlasts_window", "entered_by")
    assert [tuple(row[key] for key in shown) for row in rows] == [
        ("headache", "1", "expected", "no", "patient"),
        ("nausea", "2", "expected", "no", "patient"),
    ]
    found = cast.bo.get(events_of(cast, session)).json
    given = {
        "patient_id": str(cast.ana.patient_id),
        "course_id": session["course_id"],
        "route": session["route"],
    }
    given["treatment_session_id"] = session["id"]
    for shown_to_bo in (found, *rows):
        assert {key: shown_to_bo[key] for key in given} == given
    assert (rows[0]["entries"], rows[0]["resolved_on"]) == (name, "")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=x"])
def test_a_cell_is_never_a_formula(built_app: Flask, text: str) -> None:
    with built_app.test_request_context():
        answer = csv_answer(["a"], [{"a": text}, {"a": -1.5}, {"a": "1-1"}], "table")
    cells = [row["a"] for row in csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline=""))]
    assert cells == [f"'{text}", "-1.5", "1-1"]


def test_a_session_that_was_only_planned_has_no_events(cast: Cast, clock: Clock, visits: Visits) -> None:
    planned = visits.session(visits.course(), clock.now + timedelta(days=1), "planned")
    answer = cast.bo.get(events_of(cast, planned))
    assert (answer.status_code, answer.json["code"]) == (409, "not-delivered")


def test_only_her_clinician_reads_the_events_and_it_is_on_record(
    app: Flask, cast: Cast, session: dict[str, Any]
) -> None:
    path = events_of(cast, session)
    answers = {who: who.get(path).status_code for who in (cast.cyd, cast.coordinator, cast.ana, cast.bo)}
    assert list(answers.values()) == [404, 403, 403, 200]
    with Surroundings.of(app).database.read() as rows:
        query = select(AuditEvent.account_id).where(AuditEvent.action == "adverse-event.list")
        assert list(rows.scalars(query)) == [cast.bo.account_id]
