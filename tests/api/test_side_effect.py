"""Side effects on the wire: words for the patient, detail for clinicians, events of a session."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.api.edge import Surroundings
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
    assert found["side_effects"][0] == {"term": "nausea", "label": "Nausea"}


def test_the_patient_reads_words_and_no_judgement(cast: Cast, clock: Clock, session: dict[str, Any]) -> None:
    body = entry(clock.now, side_effects={"chest_pain": 2, "nausea": 0})
    receipt = cast.ana.put(f"/entries/{new_id()}", body).json
    (words,) = receipt["entry"]["side_effect_details"]
    assert words == {
        "term": "chest_pain",
        "label": "Chest pain",
        "grade": 2,
        "grade_label": "moderate",
        "grade_text": "It got in the way of some of what I wanted to do.",
    }
    assert cast.ana.get("/entries").json["items"][0]["side_effect_details"] == [words]
    assert receipt["notice"]["kind"] == "emergency"


def test_the_clinician_reads_onset_window_and_triage(
    cast: Cast, clock: Clock, session: dict[str, Any]
) -> None:
    log(cast, clock, sedation=1, chest_pain=1)
    (read,) = cast.bo.get(f"/patients/{cast.ana.patient_id}/entries").json["items"]
    shown = ("term", "onset_hours", "onset_days", "in_window", "triage")
    assert [tuple(detail[key] for key in shown) for detail in read["side_effect_details"]] == [
        ("chest_pain", 10.0, 0, None, "P0"),
        ("sedation", 10.0, 0, False, "P3"),
    ]


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
    assert (event["grade"], event["onset_hours"], event["in_window"]) == (2, 10.0, True)
    assert (event["first_reported_on"], event["resolved_on"]) == ("2026-03-02", "2026-03-03")
    (later,) = cast.bo.get(events_of(cast, again)).json["events"]
    assert (later["grade"], later["triage"], later["resolved_on"]) == (3, "P2", None)


def test_the_events_come_as_a_table_too(cast: Cast, clock: Clock, session: dict[str, Any]) -> None:
    name = log(cast, clock, nausea=2, headache=1)
    answer = as_csv(cast.bo, events_of(cast, session))
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["term"], row["grade"], row["in_window"]) for row in rows] == [
        ("headache", "1", "yes"),
        ("nausea", "2", "yes"),
    ]
    assert {row["treatment_session_id"] for row in rows} == {session["id"]}
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
