"""A link gives one patient's journal for a day to whoever has it, and nothing to anybody else."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from jobs import deliver
from jobs.around import Around
from jobs.import_export import prepare, write
from server.api.streaming import Incomplete
from server.clinical.vocabulary import Channel, Purpose
from server.database import Database
from server.gateways.message import RecordingGateway
from server.models import Account, AuditEvent, Delivery
from server.settings import Settings
from tests.cast import Cast, Person, entry
from tests.conftest import Clock
from tests.consents import withdraw
from tests.one_shot import river
from tests.scales import filled

ALL = ["json", "fhir", "csv"]


@pytest.fixture
def logged(cast: Cast, clock: Clock) -> Cast:
    """Ana has logged a day and filled a scale; Fay has logged one too."""
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, note="A good day."))
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", filled(clock.now))
    cast.other_patient.put(f"/entries/{uuid7()}", entry(clock.now, note="Not Ana's."))
    return cast


def asked(who: Person, formats: list[str] | None = None) -> dict[str, Any]:
    answer = who.post("/me/exports", {"formats": formats or ALL})
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def urls(link: dict[str, Any]) -> dict[str, str]:
    return {one["format"]: one["href"].removeprefix("http://127.0.0.1:8000") for one in link["links"]}


def follow(app: Flask, url: str) -> TestResponse:
    """Follow a link as somebody who is not signed in."""
    return app.test_client().get(url)


def test_each_file_is_what_it_says_and_only_about_this_patient(logged: Cast, app: Flask) -> None:
    links = urls(asked(logged.ana))
    found = {kind: follow(app, links[kind]) for kind in ALL}
    assert {one.status_code for one in found.values()} == {200}
    assert json.loads(found["json"].text)["counts"]["entries"] == 1
    assert found["json"].json["entries"][0]["revisions"][0]["content"]["note"] == "A good day."
    assert "A good day." in found["csv"].text
    kinds = [json.loads(line)["resourceType"] for line in found["fhir"].text.splitlines()]
    assert set(kinds) == {"Patient", "QuestionnaireResponse", "Observation", "Provenance", "Basic"}
    assert "A good day." in found["fhir"].text
    assert not any("Not Ana's." in one.text for one in found.values())
    names = [one.headers["Content-Disposition"].partition("afterglow-export.")[2] for one in found.values()]
    assert names == ['json"', 'ndjson"', 'csv"']
    assert {one.headers["Cache-Control"] for one in found.values()} == {"no-store"}


def test_what_a_link_gives_comes_back_to_the_same_content(
    logged: Cast, app: Flask, database: Database, clock: Clock
) -> None:
    text = follow(app, urls(asked(logged.ana))["json"]).text
    other = river(database, clock.now)
    plan = prepare(database, ("river", other), text.encode(), clock.now)
    assert write(database, plan, lambda _: None).revisions == 2


def changed(url: str, **parts: str) -> str:
    path, query = urlsplit(url).path, parse_qs(urlsplit(url).query)
    return f"{path}?{urlencode({name: found[0] for name, found in query.items()} | parts)}"


def test_a_link_that_was_changed_anywhere_leads_nowhere_in_the_same_words(logged: Cast, app: Flask) -> None:
    links, theirs = urls(asked(logged.ana, ["json"])), asked(logged.other_patient, ["json"])
    ours = links["json"]
    wrong = [
        changed(ours, clinic=str(logged.cyd.clinic_id)),
        changed(ours, format="csv"),
        changed(ours, expires="99999999999"),
        changed(ours, proof="A" * 43),
        ours.replace(urlsplit(ours).path, f"/v1/exports/{theirs['id']}"),
        changed(urls(theirs)["json"], clinic=str(logged.ana.clinic_id)),
    ]
    answers = [follow(app, url) for url in wrong]
    assert {(one.status_code, one.text) for one in answers} == {(404, answers[0].text)}
    assert follow(app, ours).status_code == 200


def test_it_ends_after_a_day_and_when_it_is_taken_back(logged: Cast, app: Flask, clock: Clock) -> None:
    first, second = asked(logged.ana), asked(logged.ana, ["csv"])
    assert [one["id"] for one in logged.ana.get("/me/exports").json["items"]] == [second["id"], first["id"]]
    assert logged.ana.delete(f"/me/exports/{second['id']}").status_code == 204
    assert logged.ana.delete(f"/me/exports/{second['id']}").status_code == 204
    assert follow(app, urls(second)["csv"]).status_code == 404
    clock.forward(hours=23, minutes=59)
    assert follow(app, urls(first)["json"]).status_code == 200
    clock.forward(minutes=1)
    assert follow(app, urls(first)["json"]).status_code == 404
    assert logged.ana.get("/me/exports").json["items"] == []


def test_a_running_answer_ends_when_the_link_is_taken_back(logged: Cast, app: Flask, clock: Clock) -> None:
    for _ in range(3):
        items = [
            {"id": str(uuid7()), "action": "put", "entry": entry(clock.now, note="x" * 2000)}
            for _ in range(40)
        ]
        logged.ana.post("/sync", {"items": items})
    link = asked(logged.ana, ["csv"])
    with app.test_client() as client:
        answer = client.get(urls(link)["csv"], buffered=False)
        pieces = answer.iter_encoded()
        assert next(pieces)
        logged.ana.delete(f"/me/exports/{link['id']}")
        assert next(pieces) == b"incomplete\r\n"
        with pytest.raises(Incomplete):
            next(pieces)


def test_who_follows_it_is_on_record_and_counted(logged: Cast, app: Flask, database: Database) -> None:
    link = asked(logged.ana, ["json"])
    follow(app, urls(link)["json"])
    assert logged.ana.get("/me/exports").json["items"][0]["taken"] == 1
    with database.read() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.object_id == link["id"])).all()
        assert [one.action for one in sorted(events, key=lambda one: one.id)] == ["export.ask", "export.take"]
        assert {one.patient_id for one in events} == {logged.ana.patient_id}


def test_the_care_team_asks_with_a_reason_and_the_patient_hears_and_sees_of_it(
    logged: Cast, app: Flask, database: Database, settings: Settings, clock: Clock
) -> None:
    path = f"/patients/{logged.ana.patient_id}/exports"
    assert logged.bo.post(path, {"formats": ["json"]}).status_code == 422
    made = logged.bo.post(path, {"formats": ["json"], "reason": "She moves away."})
    assert (made.status_code, made.json["reason"]) == (201, "She moves away.")
    (seen,) = logged.ana.get("/me/exports").json["items"]
    assert (seen["reason"], seen["asked_by"]) == ("She moves away.", str(logged.bo.account_id))
    assert "alert" not in follow(app, urls(made.json)["json"]).text
    email = RecordingGateway()
    deliver.run(Around(database, settings, {Channel.EMAIL: email}), clock.now)
    (told,) = [one for one in email.sent if one.to == "ana@home.example"]
    assert (told.kind, told.link) == ("notice.export_ready", "http://127.0.0.1:8000/v1/me/exports")
    assert made.json["links"][0]["href"].partition("proof=")[2] not in told.text
    with database.write() as session:
        session.execute(
            update(Account).where(Account.id == logged.bo.account_id).values(disabled_at=clock.now)
        )
    assert follow(app, urls(made.json)["json"]).status_code == 404, "who asked has left"


def test_who_takes_no_e_mail_any_more_gets_none_of_it_and_reads_it_in_the_app(
    logged: Cast, clock: Clock, settings: Settings, database: Database
) -> None:
    withdraw(logged, Purpose.EMAIL)
    body = {"formats": ["json"], "reason": "She moves away."}
    assert logged.bo.post(f"/patients/{logged.ana.patient_id}/exports", body).status_code == 201
    mail = RecordingGateway()
    deliver.run(Around(database, settings, {Channel.EMAIL: mail}), clock.now)
    assert [one.kind for one in mail.sent if one.to == "ana@home.example"] == []
    with database.read() as session:
        assert "consent_withdrawn" in session.scalars(select(Delivery.failure)).all()
    (link,) = logged.ana.get("/me/exports").json["items"]
    assert link["reason"] == "She moves away."


def test_another_clinic_and_another_patient_find_nothing_to_ask_for(logged: Cast) -> None:
    body = {"formats": ["json"], "reason": "Curious."}
    path = f"/patients/{logged.ana.patient_id}/exports"
    assert logged.cyd.post(path, body).status_code == 404
    assert logged.admin.post(path, body).status_code == 403
    assert logged.other_patient.post(path, body).status_code == 403
    link = asked(logged.ana)
    assert logged.other_patient.delete(f"/me/exports/{link['id']}").status_code == 404


def test_only_so_many_are_open_at_once(logged: Cast) -> None:
    for _ in range(5):
        asked(logged.ana)
    assert logged.ana.post("/me/exports", {"formats": ["json"]}).json["code"] == "too-many-exports"


@pytest.mark.parametrize("formats", [[], ["xml"], ["json", "json"], "json"])
def test_a_file_that_there_is_not_is_refused(cast: Cast, formats: Any) -> None:
    assert cast.ana.post("/me/exports", {"formats": formats}).status_code == 422


def told(database: Database) -> list[Delivery]:
    with database.read() as session:
        query = select(Delivery).where(Delivery.template == "export_ready")
        return sorted(session.scalars(query), key=lambda one: one.due_at)


@pytest.mark.long
def test_asking_and_following_count_as_exports_and_are_refused_in_the_end(logged: Cast, app: Flask) -> None:
    answers = []
    for _ in range(15):
        link = asked(logged.ana, ["csv"])
        answers.append(follow(app, urls(link)["csv"]).status_code)
        last = link
        if len(answers) < 15:
            logged.ana.delete(f"/me/exports/{link['id']}")
    assert answers == [200] * 15
    refused = logged.ana.post("/me/exports", {"formats": ["csv"]})
    assert (refused.status_code, refused.json["code"]) == (429, "too-many-tries")
    assert follow(app, urls(last)["csv"]).status_code == 429
    assert logged.ana.get("/me/export").status_code == 429
    assert logged.other_patient.get("/me/export").status_code == 200


def test_however_often_somebody_asks_one_message_an_hour_is_written(
    logged: Cast, clock: Clock, database: Database
) -> None:
    for _ in range(4):
        logged.ana.delete(f"/me/exports/{asked(logged.ana)['id']}")
    assert len(told(database)) == 1
    clock.forward(hours=1)
    asked(logged.ana)
    assert len(told(database)) == 2


def test_what_the_clinic_asks_for_is_told_in_the_next_hour_at_the_latest(
    logged: Cast, clock: Clock, database: Database
) -> None:
    asked(logged.ana)
    body = {"formats": ["json"], "reason": "She moves away."}
    for _ in range(2):
        assert logged.bo.post(f"/patients/{logged.ana.patient_id}/exports", body).status_code == 201
    first, later = told(database)
    assert first.due_at == clock.now
    assert timedelta(0) < later.due_at - clock.now <= timedelta(hours=1)
