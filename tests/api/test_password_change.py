"""Another password in place: for who knows the old one; nobody stays signed in elsewhere."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.api.edge import EXTENSION, Surroundings
from server.models import AuditEvent, Delivery, Recovery
from server.services.people import recovery as recoveries
from server.services.people import totp
from tests.cast import PASSWORD, Cast, Person, sign_in
from tests.conftest import Clock
from tests.consents import caregiver
from tests.test_concurrency import at_once

NEW = "another four words"
ANA, BO = "ana@home.example", "bo@clinic.example"


def change(who: Person, new: str = NEW, current: str = PASSWORD) -> TestResponse:
    """Change a password, without the step-up that an app would add."""
    body = {"current_password": current, "new_password": new}
    headers = {"Authorization": f"Bearer {who.token}"}
    return who.client.put("/v1/me/password", json=body, headers=headers)


def signs_in(client: FlaskClient, email: str, password: str) -> int:
    body = {"clinic": "demo", "email": email, "password": password}
    return client.post("/v1/sign-ins", json=body).status_code


def second_device(app: Flask, email: str) -> dict[str, Any]:
    return sign_in(app.test_client(), "demo", email)


def is_open(client: FlaskClient, token: str) -> bool:
    return client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def actions(app: Flask, who: Person) -> list[str]:
    with Surroundings.of(app).database.read() as session:
        query = select(AuditEvent.action).where(AuditEvent.account_id == who.account_id)
        return list(session.scalars(query.order_by(AuditEvent.id)))


@pytest.mark.long
@pytest.mark.parametrize("name", ["ana", "bo", "coordinator", "admin", "caregiver"])
def test_a_new_password_takes_the_place_of_the_old_one_for_whoever_types_it(
    cast: Cast, client: FlaskClient, name: str
) -> None:
    who = caregiver(cast) if name == "caregiver" else getattr(cast, name)
    assert change(who).status_code == 204
    assert who.get("/me").status_code == 200, "this sign-in stays"
    assert (change(who).status_code, change(who, PASSWORD, NEW).status_code) == (401, 204)


def test_every_other_sign_in_ends_with_its_refresh_token_and_nobody_elses(
    app: Flask, cast: Cast, client: FlaskClient
) -> None:
    other = second_device(app, ANA)
    assert change(cast.ana).status_code == 204
    assert not is_open(client, other["access_token"])
    refresh = {"refresh_token": other["refresh_token"]}
    assert client.post("/v1/sign-ins/refresh", json=refresh).status_code == 401
    assert len(cast.ana.get("/me/sign-ins").json["items"]) == 1
    assert cast.bo.get("/me").status_code == 200
    assert (signs_in(client, ANA, PASSWORD), signs_in(client, ANA, NEW)) == (401, 201)
    assert actions(app, cast.ana)[-4:-1] == ["sign-in.start", "sign-in.end-others", "password.change"]


def test_the_owner_is_told_of_a_change_and_of_nothing_else(app: Flask, cast: Cast) -> None:
    assert change(cast.bo, current="guessed").status_code == 401
    assert change(cast.bo, "short").status_code == 422
    assert change(cast.bo).status_code == 204
    with Surroundings.of(app).database.read() as session:
        assert list(session.scalars(select(Delivery.template))) == ["sign_in_changed"]


@pytest.mark.long
def test_who_does_not_know_the_old_password_changes_nothing_and_waits_longer_each_time(
    app: Flask, cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    answers = [change(cast.ana, current="guessed") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [401] * 6 + [429] * 2
    assert answers[0].json["code"] == "does-not-fit", "no word of being signed in: a refresh would not help"
    assert (answers[6].headers["Retry-After"], answers[6].json["code"]) == ("30", "too-many-tries")
    assert change(cast.ana).status_code == 429, "the right one waits too"
    step_up = client.post(
        "/v1/sign-ins/step-up",
        json={"password": PASSWORD},
        headers={"Authorization": f"Bearer {cast.ana.token}"},
    )
    assert step_up.status_code == 429, "one count for both"
    assert signs_in(client, ANA, PASSWORD) == 201
    clock.forward(seconds=30)
    assert change(cast.ana).status_code == 204
    assert [change(cast.ana, current="guessed").status_code for _ in range(6)] == [401] * 6, "counted anew"


@pytest.mark.long
@pytest.mark.parametrize(
    "bad", ["too short", "password password 1", "ana@home.example", "correcthorsebattery"]
)
def test_the_new_one_is_held_to_the_rules_of_enrolment_and_a_refusal_is_no_try(cast: Cast, bad: str) -> None:
    for _ in range(8):
        answer = change(cast.ana, bad)
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/new_password")
    assert change(cast.ana).status_code == 204


def test_who_has_a_second_factor_proves_it_first(app: Flask, cast: Cast, clock: Clock) -> None:
    made = cast.bo.post("/me/factors/totp", {"name": "telephone"}).json
    code = {"totp": totp.code_at(made["secret"], clock.now)}
    assert cast.bo.post(f"/me/factors/totp/{made['id']}/confirm", code).status_code == 200
    clock.forward(minutes=6)
    answer = change(cast.bo)
    assert (answer.status_code, answer.json["code"]) == (403, "step-up-required")
    fresh = {"totp": totp.code_at(made["secret"], clock.now)}
    assert cast.bo.post("/sign-ins/step-up", fresh).status_code == 204
    assert change(cast.bo, current="guessed").status_code == 401, "the factor alone is not enough"
    assert change(cast.bo).status_code == 204


def test_the_second_half_of_a_sign_in_that_was_begun_with_the_old_password_leads_nowhere(
    cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    made = cast.bo.post("/me/factors/totp", {"name": "telephone"}).json
    code = {"totp": totp.code_at(made["secret"], clock.now)}
    assert cast.bo.post(f"/me/factors/totp/{made['id']}/confirm", code).status_code == 200
    clock.forward(seconds=30)
    begun = client.post("/v1/sign-ins", json={"clinic": "demo", "email": BO, "password": PASSWORD})
    assert change(cast.bo).status_code == 204
    half = {"ticket": begun.json["ticket"], "totp": totp.code_at(made["secret"], clock.now)}
    assert client.post("/v1/sign-ins/second-factor", json=half).status_code == 401


def test_a_link_to_a_new_password_that_lies_in_a_mailbox_ends(
    app: Flask, cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    database = Surroundings.of(app).database
    client.post("/v1/recoveries", json={"clinic": "demo", "email": ANA})
    with database.write() as session:
        assert recoveries.look(session, clock.now) == 1
    assert change(cast.ana).status_code == 204
    with database.read() as session:
        assert session.scalars(select(Recovery)).one().used_at is not None


def test_of_four_changes_at_once_one_holds(app: Flask, cast: Cast, client: FlaskClient) -> None:
    words = [f"four words of number {number}" for number in range(4)]
    asked = [lambda new=new: change(cast.ana, new).status_code for new in words]
    statuses = at_once(asked)
    assert sorted(statuses) == [204, 401, 401, 401]
    assert signs_in(client, ANA, words[statuses.index(204)]) == 201


def test_a_system_and_who_still_owes_a_second_factor_change_none(
    app: Flask, cast: Cast, client: FlaskClient
) -> None:
    assert change(cast.scheduler).status_code == 403
    here = Surroundings.of(app)
    app.extensions[EXTENSION] = replace(here, settings=replace(here.settings, staff_second_factor="required"))
    waiting = replace(cast.bo, token=sign_in(client, "demo", BO)["access_token"])
    assert change(waiting).json["code"] == "second-factor-missing"
