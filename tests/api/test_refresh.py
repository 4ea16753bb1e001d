"""Staying signed in: a refresh token works once, a lost answer is asked for again, a copy ends it all."""

from dataclasses import replace

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from jobs import tidy
from jobs.around import Around
from server.api.edge import EXTENSION, Surroundings
from server.models import AuditEvent, Delivery, RefreshToken
from server.settings import Settings
from tests.cast import Cast, sign_in
from tests.conftest import Clock


def me(client: FlaskClient, token: str) -> int:
    return client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code


def refresh(client: FlaskClient, token: str) -> TestResponse:
    return client.post("/v1/sign-ins/refresh", json={"refresh_token": token})


def bo_signs_in(client: FlaskClient) -> str:
    return str(sign_in(client, "demo", "bo@clinic.example")["refresh_token"])


def told(app: Flask) -> list[str]:
    with Surroundings.of(app).database.read() as session:
        return list(session.scalars(select(Delivery.template)))


def test_a_refresh_token_is_traded_for_the_next(cast: Cast, client: FlaskClient) -> None:
    tokens = sign_in(client, "demo", "bo@clinic.example")
    fresh = refresh(client, tokens["refresh_token"]).json
    assert fresh["refresh_token"] != tokens["refresh_token"]
    assert fresh["token_type"] == "Bearer"
    assert me(client, fresh["access_token"]) == 200
    assert refresh(client, fresh["refresh_token"]).status_code == 200


def test_who_lost_the_answer_asks_again_and_gets_the_same_successor(
    cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    token = bo_signs_in(client)
    lost = refresh(client, token).json["refresh_token"]
    for seconds in (0, 10, 20):  # 30 seconds in all
        clock.forward(seconds=seconds)
        again = refresh(client, token)
        assert again.json["refresh_token"] == lost, seconds
        assert me(client, again.json["access_token"]) == 200
    assert refresh(client, lost).status_code == 200


def test_after_31_seconds_a_token_used_twice_ends_the_sign_in_and_its_owner_is_told(
    app: Flask, cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    token = bo_signs_in(client)
    fresh = refresh(client, token).json
    clock.forward(seconds=31)
    assert refresh(client, token).status_code == 401
    assert refresh(client, fresh["refresh_token"]).status_code == 401
    assert me(client, fresh["access_token"]) == 401
    assert cast.bo.get("/me").status_code == 200, "the other device stays signed in"
    assert refresh(client, token).status_code == 401
    assert told(app) == ["sign_in_ended"], "once"
    with Surroundings.of(app).database.read() as session:
        reused = select(AuditEvent).where(AuditEvent.action == "sign-in.token-reused")
        assert session.scalars(reused).one().account_id == cast.bo.account_id


def test_a_token_whose_successor_was_used_is_no_lost_answer_even_within_the_30_seconds(
    cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    token = bo_signs_in(client)
    second = refresh(client, token).json["refresh_token"]
    third = refresh(client, second).json["refresh_token"]
    clock.forward(seconds=5)
    assert refresh(client, token).status_code == 401
    assert refresh(client, third).status_code == 401


def test_a_token_that_was_never_made_ends_nothing(cast: Cast, client: FlaskClient) -> None:
    token = bo_signs_in(client)
    assert refresh(client, token[:-1]).status_code == 401
    assert refresh(client, token).status_code == 200


def test_the_successor_lies_in_the_database_as_nobody_but_the_tokens_holder_can_read_it(
    app: Flask, cast: Cast, client: FlaskClient
) -> None:
    token = bo_signs_in(client)
    successor = refresh(client, token).json["refresh_token"]
    with Surroundings.of(app).database.read() as session:
        rows = [str(vars(row)) for row in session.scalars(select(RefreshToken))]
    assert not any(secret in row for row in rows for secret in (token, successor))


def test_an_unused_sign_in_ends_by_itself(
    cast: Cast, client: FlaskClient, clock: Clock, settings: Settings
) -> None:
    token = bo_signs_in(client)
    clock.forward(days=settings.refresh_days)
    assert refresh(client, token).status_code == 401
    tidy.run(Around(Surroundings.of(cast.bo.client.application).database, settings, {}), clock.now)
    assert refresh(client, token).status_code == 401
    with Surroundings.of(cast.bo.client.application).database.read() as session:
        assert list(session.scalars(select(RefreshToken))) == []


def a_year_of_use(client: FlaskClient, clock: Clock, days: int) -> str:
    """Let Bo's phone refresh every month until a second before ``days`` are over; return its token."""
    token = bo_signs_in(client)
    for step in [30] * (days // 30) + [days % 30]:
        clock.forward(days=step, seconds=-1 if step == days % 30 else 0)
        token = str(refresh(client, token).json["refresh_token"])
    return token


def test_a_sign_in_in_daily_use_ends_a_year_after_it_began_with_all_its_tokens(
    app: Flask, cast: Cast, client: FlaskClient, clock: Clock, settings: Settings
) -> None:
    assert settings.sign_in_days == 365
    token = a_year_of_use(client, clock, settings.sign_in_days)
    clock.forward(seconds=1)
    answer = refresh(client, token)
    ended = refresh(client, token[:-1])
    assert (answer.status_code, answer.get_data()) == (401, ended.get_data()), "like an ended one"
    assert refresh(client, token).status_code == 401
    assert told(app) == [], "nothing happened that its owner should fear"
    with Surroundings.of(app).database.read() as session:
        too_old = session.scalars(select(AuditEvent).where(AuditEvent.action == "sign-in.too-old")).one()
        assert too_old.account_id == cast.bo.account_id
    fresh = bo_signs_in(client)
    assert refresh(client, fresh).status_code == 200, "signing in anew begins anew"


def test_how_long_a_sign_in_lives_is_a_setting_and_its_last_access_token_ends_with_the_refusal(
    app: Flask, cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    here = Surroundings.of(app)
    app.extensions[EXTENSION] = replace(here, settings=replace(here.settings, sign_in_days=1))
    tokens = sign_in(client, "demo", "bo@clinic.example")
    clock.forward(hours=23, minutes=55)
    tokens = refresh(client, tokens["refresh_token"]).json
    clock.forward(minutes=5)
    assert me(client, tokens["access_token"]) == 200, "at most as long as an access token"
    assert refresh(client, tokens["refresh_token"]).status_code == 401
    assert me(client, tokens["access_token"]) == 401
