"""Signing in and out."""

import logging

import pytest
from argon2 import PasswordHasher, extract_parameters
from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.api.edge import Surroundings
from server.database import Database
from server.isolation import Extent
from server.models import Account
from server.services.people import recovery
from tests.cast import PASSWORD, Cast, sign_in
from tests.conftest import Clock


def me(client: FlaskClient, token: str) -> TestResponse:
    return client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})


def refresh(client: FlaskClient, token: str) -> TestResponse:
    return client.post("/v1/sign-ins/refresh", json={"refresh_token": token})


# Sign-in


def test_whoever_is_signed_in_reads_what_the_next_sign_in_asks_for(cast: Cast, client: FlaskClient) -> None:
    """A code holds no name of the clinic: on another phone a patient could not sign in."""
    for person in (cast.ana, cast.bo, cast.cyd):
        named = person.get("/me").json["clinic"]
        assert named == ("elsewhere" if person is cast.cyd else "demo")
    clinic = cast.ana.get("/me").json["clinic"]
    assert sign_in(client, clinic, "ana@home.example")["access_token"]


def test_every_wrong_sign_in_is_told_alike(cast: Cast, client: FlaskClient) -> None:
    right = {"clinic": "demo", "email": "bo@clinic.example", "password": PASSWORD}
    wrong = [{"clinic": "elsewhere"}, {"email": "nobody@clinic.example"}, {"password": "wrong"}]
    answers = [client.post("/v1/sign-ins", json={**right, **part}) for part in wrong]
    assert {(a.status_code, a.get_data()) for a in answers} == {(401, answers[0].get_data())}
    assert client.post("/v1/sign-ins", json=right).status_code == 201


@pytest.mark.parametrize("typed", ["Demo", "demo ", " DEMO"])
def test_a_clinics_short_name_is_taken_as_a_telephones_keyboard_writes_it(
    cast: Cast, client: FlaskClient, database: Database, clock: Clock, typed: str
) -> None:
    ana = {"clinic": typed, "email": "ana@home.example"}
    assert client.post("/v1/sign-ins", json={**ana, "password": PASSWORD}).status_code == 201
    guesses = [{**ana, "clinic": clinic, "password": "guessed"} for clinic in ("demo", typed)] * 4
    answers = [client.post("/v1/sign-ins", json=guess).status_code for guess in guesses]
    assert answers == [401] * 6 + [429] * 2, "one count, however it is written"
    assert client.post("/v1/recoveries", json=ana).status_code == 204
    with database.write(Extent.DOOR) as session:
        assert recovery.look(session, clock.now) == 1


def test_passwords_and_tokens_are_never_logged(
    cast: Cast, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        tokens = sign_in(client, "demo", "bo@clinic.example")
        wrong = {"clinic": "demo", "email": "bo@clinic.example", "password": "wrong!"}
        client.post("/v1/sign-ins", json=wrong)
        refresh(client, tokens["refresh_token"])
        me(client, tokens["access_token"])
    for secret in (PASSWORD, "wrong!", tokens["refresh_token"], tokens["access_token"]):
        assert secret not in caplog.text


# Signing out


def test_signing_out_holds_from_the_next_request(cast: Cast, client: FlaskClient) -> None:
    tokens = sign_in(client, "demo", "bo@clinic.example")
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.delete("/v1/sign-ins/current", headers=headers).status_code == 204
    assert me(client, tokens["access_token"]).status_code == 401
    assert refresh(client, tokens["refresh_token"]).status_code == 401
    assert client.delete("/v1/sign-ins/current", headers=headers).status_code == 401
    assert cast.bo.get("/me").status_code == 200


def test_an_older_hash_is_made_anew_when_its_owner_signs_in(
    app: Flask, cast: Cast, client: FlaskClient
) -> None:
    older = PasswordHasher(memory_cost=128, time_cost=1, parallelism=1).hash(PASSWORD)
    known = (cast.bo.clinic_id, cast.bo.account_id)
    database = Surroundings.of(app).database
    with database.write() as session:
        session.get_one(Account, known).password_hash = older
    wrong = {"clinic": "demo", "email": "bo@clinic.example", "password": "wrong"}
    assert client.post("/v1/sign-ins", json=wrong).status_code == 401
    with database.read() as session:
        assert session.get_one(Account, known).password_hash == older
    for _ in range(2):
        assert sign_in(client, "demo", "bo@clinic.example")["access_token"]
    with database.read() as session:
        assert extract_parameters(session.get_one(Account, known).password_hash).memory_cost == 64


# Systems


def test_a_system_may_do_what_its_scopes_say_and_no_more(app: Flask, cast: Cast) -> None:
    inbox = "/inbox/booking-suggestions"
    assert cast.scheduler.get(inbox).status_code == 200
    with Surroundings.of(app).database.write() as session:
        account = session.get_one(Account, (cast.scheduler.clinic_id, cast.scheduler.account_id))
        assert account.scopes == ["visits"]
        account.scopes = []
    assert cast.scheduler.get(inbox).status_code == 403
    assert cast.scheduler.get("/me").status_code == 200


SYSTEMS_ALONE = (
    *(("GET", "/v1/inbox/booking-suggestions/{id}/history"), ("GET", "/fhir/R4/Appointment")),
    *(("POST", "/v1/inbox/booking-suggestions/{id}/propose-time"), ("GET", "/fhir/R4/ServiceRequest")),
    *(("POST", "/v1/inbox/booking-suggestions/{id}/arrive"), ("POST", "/fhir/R4/AppointmentResponse")),
    *(("PUT", "/fhir/R4/Appointment/{id}"), ("POST", "/v1/inbox/calendar-replies")),
    *(("GET", "/fhir/R4/Appointment/{id}"), ("GET", "/fhir/R4/ServiceRequest/{id}")),
)


def test_without_the_scope_of_visits_a_system_gets_to_none_of_them(cast: Cast, client: FlaskClient) -> None:
    path = f"/clinic/accounts/{cast.scheduler.account_id}/scopes"
    headers = {"Authorization": f"Bearer {cast.scheduler.token}"}

    def answers() -> list[int]:
        places = ((method, place.format(id=uuid7())) for method, place in SYSTEMS_ALONE)
        return [client.open(place, method=method, headers=headers).status_code for method, place in places]

    assert 403 not in answers()
    assert cast.admin.put(path, {"scopes": []}).status_code == 204
    assert answers() == [403] * len(SYSTEMS_ALONE)
    assert "the scope visits" in cast.scheduler.get("/inbox/booking-suggestions").json["detail"]
    assert cast.scheduler.get("/patients").json["detail"] == "Your role may not do this."
    assert cast.admin.put(path, {"scopes": ["visits"]}).status_code == 204
    assert 403 not in answers()
    (shown,) = [
        one for one in cast.admin.get("/clinic/accounts").json["items"] if one["name"] == "Scheduling"
    ]
    assert shown["scopes"] == ["visits"]


def test_only_the_admin_says_what_a_system_may_do_and_only_of_systems(cast: Cast) -> None:
    body = {"scopes": ["visits"]}
    for other in (cast.bo, cast.ana, cast.scheduler):
        path = f"/clinic/accounts/{cast.scheduler.account_id}/scopes"
        assert other.put(path, body).status_code == 403
    assert cast.admin.put(f"/clinic/accounts/{cast.bo.account_id}/scopes", body).json["code"] == "no-system"
    assert cast.admin.put(f"/clinic/accounts/{cast.cyd.account_id}/scopes", body).status_code == 404
    path = f"/clinic/accounts/{cast.scheduler.account_id}/scopes"
    assert cast.admin.put(path, {"scopes": ["everything"]}).status_code == 422
