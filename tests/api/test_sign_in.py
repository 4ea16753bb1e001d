"""Signing in and out."""

import logging

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.cast import PASSWORD, Cast, sign_in


def me(client: FlaskClient, token: str) -> TestResponse:
    return client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})


def refresh(client: FlaskClient, token: str) -> TestResponse:
    return client.post("/v1/sign-ins/refresh", json={"refresh_token": token})


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
