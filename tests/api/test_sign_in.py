"""Enrolment, sign-in and refresh tokens."""

import logging

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.cast import PASSWORD, Cast, sign_in
from tests.conftest import Clock

NEW = {"email": "Gus@clinic.example", "password": "a long enough password"}


def invited(cast: Cast) -> str:
    """Return the code of a fresh staff invitation."""
    answer = cast.admin.post("/clinic/invitations", {"role": "clinician", "name": "Gus"})
    assert answer.status_code == 201
    code: str = answer.json["code"]
    return code


def enrol(client: FlaskClient, code: str, **other: str) -> TestResponse:
    return client.post("/v1/enrolments", json={"code": code, **NEW, **other})


def me(client: FlaskClient, token: str) -> TestResponse:
    return client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})


def refresh(client: FlaskClient, token: str) -> TestResponse:
    return client.post("/v1/sign-ins/refresh", json={"refresh_token": token})


# Enrolment


def test_an_invitation_makes_one_account_and_signs_it_in(cast: Cast, client: FlaskClient) -> None:
    code = invited(cast)
    tokens = enrol(client, code)
    assert tokens.status_code == 201
    who = me(client, tokens.json["access_token"]).json
    assert (who["role"], who["name"], who["patient_id"]) == ("clinician", "Gus", None)
    assert enrol(client, code, email="other@clinic.example").status_code == 401
    assert sign_in(client, "demo", "gus@clinic.example", NEW["password"])["access_token"]


def test_an_invitation_ends_after_three_days(cast: Cast, client: FlaskClient, clock: Clock) -> None:
    code = invited(cast)
    clock.forward(hours=72, seconds=1)
    assert enrol(client, code).status_code == 401


def test_wrong_used_and_late_codes_are_told_alike(cast: Cast, client: FlaskClient, clock: Clock) -> None:
    used, late = invited(cast), invited(cast)
    enrol(client, used)
    again = enrol(client, used, email="x@clinic.example")
    clock.forward(hours=73)
    answers = [again, enrol(client, late), enrol(client, "made up")]
    assert {(a.status_code, a.get_data()) for a in answers} == {(401, answers[0].get_data())}


def test_a_new_invitation_ends_the_patients_earlier_one(cast: Cast, client: FlaskClient) -> None:
    patient = cast.bo.post("/patients", {"name": "Hal", "zone": "Europe/Oslo"}).json["id"]
    first, second = (cast.bo.post(f"/patients/{patient}/invitations").json["code"] for _ in range(2))
    assert enrol(client, first).status_code == 401
    tokens = enrol(client, second, email="hal@home.example").json
    assert me(client, tokens["access_token"]).json["patient_id"] == patient
    assert cast.bo.get(f"/patients/{patient}").json["enrolled_at"] == "2026-03-02T12:00:00+00:00"


def test_a_failed_enrolment_leaves_the_code_usable(cast: Cast, client: FlaskClient) -> None:
    code = invited(cast)
    assert enrol(client, code, email="bo@clinic.example").status_code == 409
    assert enrol(client, code).status_code == 201


@pytest.mark.parametrize("password", ["short", "x" * 14, "x" * 129, "fifteen chars \x00 x"])
def test_a_password_is_long_and_printable(cast: Cast, client: FlaskClient, password: str) -> None:
    answer = enrol(client, invited(cast), password=password)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/password"
    assert password not in answer.text


# Sign-in


def test_every_wrong_sign_in_is_told_alike(cast: Cast, client: FlaskClient) -> None:
    right = {"clinic": "demo", "email": "bo@clinic.example", "password": PASSWORD}
    wrong = [{"clinic": "elsewhere"}, {"email": "nobody@clinic.example"}, {"password": "wrong"}]
    answers = [client.post("/v1/sign-ins", json={**right, **part}) for part in wrong]
    assert {(a.status_code, a.get_data()) for a in answers} == {(401, answers[0].get_data())}
    assert client.post("/v1/sign-ins", json=right).status_code == 201


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
