"""What makes something makes one of it, however often its answer is lost: its client gives it a key."""

from collections.abc import Mapping
from datetime import timedelta
from threading import Event
from time import sleep
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from server.api.edge import Surroundings
from server.database import Database
from server.services import kept_answer as kept_answers
from server.services.visits import suggestion_end as suggestion_ends
from tests.access_matrix import Operation, let_in, lines, operations, sendable
from tests.access_world import build
from tests.cast import PASSWORD, Cast, Person
from tests.conftest import Clock, bring_back, empty, rows_of
from tests.test_concurrency import AT_ONCE, at_once
from tests.visits import Visits

KEY = "0197f1a2-made-up-by-the-client"
HOOK = "https://hooks.example.org/visits"


def send(who: Person, path: str, body: Any, key: str = KEY) -> TestResponse:
    """Post ``body`` under ``key``."""
    headers = {"Authorization": f"Bearer {who.token}", "Idempotency-Key": key}
    return who.client.post(f"/v1{path}", json=body, headers=headers)


def kept(database: Database) -> list[dict[str, Any]]:
    return rows_of(database)["kept_answers"]


@pytest.fixture
def session(visits: Visits, clock: Clock) -> dict[str, Any]:
    """A session of Ana's that was delivered today."""
    at = (clock.now - timedelta(hours=2)).isoformat()
    return {"course_id": visits.course(), "status": "delivered", "at": at}


def test_a_session_whose_answer_was_lost_is_recorded_once_and_answered_alike(
    cast: Cast, visits: Visits, session: dict[str, Any], database: Database
) -> None:
    path = f"{visits.ana}/treatment-sessions"
    first = send(cast.bo, path, session)
    again = send(cast.bo, path, session, f'"{KEY}"')
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json, again.headers["ETag"]) == (first.json, '"v1"')
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert cast.bo.get(path).json["items"] == [first.json]
    lines = [row["action"] for row in rows_of(database)["audit_events"]]
    assert (lines.count("treatment-session.create"), lines.count("kept-answer.read")) == (1, 1)


def test_six_at_once_make_one_and_are_all_answered_alike(cast: Cast, app: Flask) -> None:
    body = {"name": "Gil", "zone": "Europe/Oslo"}
    answers = at_once([lambda: send(cast.bo, "/patients", body)] * AT_ONCE)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    named = [row["name"] for row in cast.bo.get("/patients").json["items"]]
    assert named.count("Gil") == 1


def test_a_key_that_was_given_to_another_request_is_refused_and_makes_nothing(
    cast: Cast, visits: Visits, session: dict[str, Any], database: Database
) -> None:
    path = f"{visits.ana}/treatment-sessions"
    send(cast.bo, path, session)
    others: Mapping[str, Any] = {
        path: {**session, "status": "planned"},
        "/patients": {"name": "Gil", "zone": "Europe/Oslo"},
    }
    for there, body in others.items():
        refused = send(cast.bo, there, body)
        assert (refused.status_code, refused.json["code"]) == (422, "key-reused"), there
        assert refused.json["errors"][0]["header"] == "Idempotency-Key"
    assert len(rows_of(database)["treatment_sessions"]) == 1


def test_what_was_refused_is_mended_and_sent_with_the_same_key(
    cast: Cast, visits: Visits, session: dict[str, Any], clock: Clock, database: Database
) -> None:
    path = f"{visits.ana}/treatment-sessions"
    ahead = {**session, "at": (clock.now + timedelta(hours=1)).isoformat()}
    assert send(cast.bo, path, ahead).status_code == 422
    assert send(cast.bo, path, {**session, "status": 7}).status_code == 422
    assert kept(database) == []
    assert send(cast.bo, path, session).status_code == 201


def test_what_broke_half_way_is_neither_made_nor_kept(
    cast: Cast,
    visits: Visits,
    session: dict[str, Any],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = f"{visits.ana}/treatment-sessions"
    for place, name in ((suggestion_ends, "fulfil_with"), (kept_answers, "keep")):
        with monkeypatch.context() as broken:
            broken.setattr(place, name, lambda *_: 1 / 0)
            assert send(cast.bo, path, session).status_code == 500, name
        assert (rows_of(database)["treatment_sessions"], kept(database)) == ([], []), name
    assert send(cast.bo, path, session).status_code == 201


def test_a_key_is_its_own_accounts(cast: Cast) -> None:
    made = [
        send(who, "/patients", {"name": "Gil", "zone": "Europe/Oslo"})
        for who in (cast.bo, cast.coordinator, cast.cyd)
    ]
    assert [answer.status_code for answer in made] == [201] * 3
    assert len({answer.json["id"] for answer in made}) == 3


def test_a_secret_is_answered_again_and_lies_nowhere_to_be_read(cast: Cast, database: Database) -> None:
    body = {"account_id": str(cast.scheduler.account_id), "url": HOOK}
    first = send(cast.admin, "/clinic/webhooks", body)
    assert send(cast.admin, "/clinic/webhooks", body).json == first.json
    assert first.json["secret"] not in str(rows_of(database))
    (row,) = kept(database)
    assert KEY not in str(row)
    assert first.json["webhook"]["id"].encode() not in row["sealed_said"]


def test_a_code_that_needed_a_proof_of_who_one_is_needs_one_to_be_told_again(
    cast: Cast, visits: Visits, clock: Clock
) -> None:
    """With it Ana's account goes to another address."""
    path, body = f"{visits.ana}/invitations", {"email": "elsewhere@clinic.example", "word": "blue kettle"}
    clock.forward(minutes=6)
    assert send(cast.bo, path, body).json["code"] == "step-up-required"
    proven(cast.bo)
    first = send(cast.bo, path, body)
    assert send(cast.bo, path, body).json == first.json
    clock.forward(minutes=6)
    refused = send(cast.bo, path, body)
    assert (refused.status_code, refused.json["code"]) == (403, "step-up-required")
    proven(cast.bo)
    assert send(cast.bo, path, body).json == first.json


def proven(who: Person) -> None:
    """Let ``who`` prove again who they are."""
    headers = {"Authorization": f"Bearer {who.token}"}
    said = who.client.post("/v1/sign-ins/step-up", json={"password": PASSWORD}, headers=headers)
    assert said.status_code == 204, said.text


def test_a_patient_who_comes_back_is_kept_out_by_no_request_with_a_key_that_is_under_way(
    cast: Cast, visits: Visits, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one had the account and wanted the patient, the other the patient and wanted the account."""
    for who in (cast.bo, cast.ana):
        proven(who)
    asked = {"email": "elsewhere@clinic.example", "word": "blue kettle"}
    code = cast.bo.post(f"{visits.ana}/invitations", asked).json["code"]
    enrolment = {"code": code, "email": asked["email"], "password": "four other words here"}
    claimed, claim = Event(), kept_answers._is_new

    def lingering(*request: Any) -> bool:
        is_new = claim(*request)
        claimed.set()
        sleep(0.3)
        return is_new

    def enrol() -> TestResponse:
        assert claimed.wait(10)
        return app.test_client().post("/v1/enrolments", json={**enrolment, "proof": asked["word"]})

    monkeypatch.setattr(kept_answers, "_is_new", lingering)
    export, back = at_once([lambda: send(cast.ana, "/me/exports", {"formats": ["json"]}), enrol])
    assert export.status_code == 201, export.text
    assert (back.status_code, back.json["code"]) == (409, "invitation-waits")


def test_a_key_that_is_none_is_refused_before_anything_is_made(cast: Cast, database: Database) -> None:
    before = len(rows_of(database)["patients"])
    for key in ("short", "with a blank in it", '"half-quoted', "a" * 101, "späte-anfrage"):
        refused = send(cast.bo, "/patients", {"name": "Gil", "zone": "Europe/Oslo"}, key)
        assert (refused.status_code, refused.json["code"]) == (400, "invalid"), key
    assert len(rows_of(database)["patients"]) == before


def test_without_a_key_each_request_makes_another(cast: Cast, database: Database) -> None:
    body = {"name": "Gil", "zone": "Europe/Oslo"}
    assert cast.bo.post("/patients", body).json["id"] != cast.bo.post("/patients", body).json["id"]
    assert kept(database) == []


@pytest.mark.long
def test_whatever_takes_a_key_makes_it_once_and_answers_alike(app: Flask, cast: Cast, clock: Clock) -> None:
    world, database = build(app, cast), Surroundings.of(app).database
    document = app.test_client().get("/v1/openapi.json").get_json()
    taking = [one for one in operations(document) if takes_a_key(document, one)]
    table = {line.name: line for line in lines()}
    for operation in taking:
        who = world.people[let_in(operation, table[operation.name])]
        path, body = operation.path.removeprefix("/v1").format(**world.ids), sendable(operation, world)
        assert who is not None
        if operation.name.endswith("/treatment-sessions"):
            body = {**(body or {}), "at": clock.now.isoformat()}
        if path == "/clinic/scheduling-connections":  # one is in use at a time
            cast.admin.delete(f"{path}/{world.ids['connection_id']}")
        first = send(who, path, body)
        assert first.status_code in (201, 202), f"{operation.name}: {first.text}"
        after = numbers(database)
        second = send(who, path, body)
        assert (second.status_code, second.json) == (first.status_code, first.json), operation.name
        assert numbers(database) == after, operation.name
        assert len(kept(database)) == 1, operation.name
        empty(database)
        bring_back(database, world.rows)
    assert len(taking) > 15


def takes_a_key(document: Mapping[str, Any], operation: Operation) -> bool:
    doc = document["paths"][operation.path][operation.method.lower()]
    return any(one.get("name") == "Idempotency-Key" for one in doc.get("parameters", ()))


def numbers(database: Database) -> dict[str, int]:
    """Return how many rows each table has, but for the log: that tells of each time."""
    return {name: len(rows) for name, rows in rows_of(database).items() if name != "audit_events"}
