"""Guessing soon takes for ever, and nobody can keep an owner out by guessing."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.api.edge import Surroundings
from server.clinical.vocabulary import Role
from server.database import Database
from server.models import Delivery, Tally
from server.services import tally
from server.services.cap import (
    CAPS,
    ENROLMENT_ADDRESS,
    INVITATION,
    SIGN_IN_ACCOUNT,
    SIGN_IN_ADDRESS,
    SIGN_IN_PAIR,
)
from server.services.errors import TooMany
from server.services.people import tries
from tests.cast import PASSWORD, Cast
from tests.conftest import NOON, Clock

HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"
ANA, NOBODY = "ana@home.example", "nobody@home.example"


@pytest.fixture
def from_(client: FlaskClient) -> Any:
    """Try to sign in from an address."""

    def attempt(address: str, password: str = "guessed", email: str = ANA, **more: str) -> TestResponse:
        body = {"clinic": "demo", "email": email, "password": password, **more}
        return client.post("/v1/sign-ins", json=body, environ_base={"REMOTE_ADDR": address})

    return attempt


def guess_everywhere(attempt: Any, clock: Clock, times: int) -> None:
    """Guess Ana's password from so many addresses."""
    for number in range(times):
        attempt(f"203.0.113.{number}")


@pytest.mark.parametrize("email", [ANA, NOBODY])
def test_the_seventh_wrong_password_waits_whether_or_not_there_is_such_an_account(
    cast: Cast, from_: Any, clock: Clock, email: str
) -> None:
    answers = [from_(ELSEWHERE, email=email) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [401] * 6 + [429] * 2
    assert answers[6].headers["Retry-After"] == "30"
    assert answers[6].get_json()["code"] == "too-many-tries"
    clock.forward(seconds=30)
    assert [from_(ELSEWHERE, email=email).status_code for _ in range(2)] == [401, 429]
    assert from_(ELSEWHERE, email=email).headers["Retry-After"] == "60"


def test_who_guesses_elsewhere_keeps_nobody_out_at_home(cast: Cast, from_: Any) -> None:
    for _ in range(8):
        from_(ELSEWHERE)
    assert from_(ELSEWHERE, PASSWORD).status_code == 429
    assert from_(HOME, PASSWORD).status_code == 201


def test_a_good_sign_in_takes_the_tries_before_it_back(cast: Cast, from_: Any) -> None:
    for _ in range(3):
        for _ in range(5):
            assert from_(HOME).status_code == 401
        assert from_(HOME, PASSWORD).status_code == 201


@pytest.mark.long
def test_guessing_from_many_addresses_ends_but_not_for_a_device_or_an_address_the_account_knows(
    cast: Cast, from_: Any, clock: Clock
) -> None:
    device = from_(HOME, PASSWORD).get_json()["device_token"]
    guess_everywhere(from_, clock, SIGN_IN_ACCOUNT.most)
    assert from_("203.0.113.250").status_code == 429
    assert from_("192.0.2.1", PASSWORD).status_code == 429
    assert from_("192.0.2.1", PASSWORD, device_token=device).status_code == 201
    assert from_(HOME, PASSWORD).status_code == 201
    clock.forward(days=1)
    assert from_("192.0.2.2", PASSWORD).status_code == 201


def test_a_device_has_tries_of_its_own_that_end_too(cast: Cast, from_: Any) -> None:
    device = from_(HOME, PASSWORD).get_json()["device_token"]
    for _ in range(20):
        from_(ELSEWHERE)
    answers = [from_(ELSEWHERE, device_token=device).status_code for _ in range(12)]
    assert answers == [401] * 11 + [429]
    assert from_("192.0.2.1", PASSWORD).status_code == 201


def test_a_device_that_has_used_up_its_own_tries_is_told_the_shortest_wait(
    cast: Cast, from_: Any, clock: Clock
) -> None:
    device = from_(HOME, PASSWORD).get_json()["device_token"]
    guess_everywhere(from_, clock, SIGN_IN_ACCOUNT.most)
    for _ in range(11):
        assert from_("192.0.2.1", device_token=device).status_code == 401
    assert from_("192.0.2.1", PASSWORD, device_token=device).headers["Retry-After"] == "30"
    clock.forward(seconds=30)
    assert from_("192.0.2.1", PASSWORD, device_token=device).status_code == 201


def test_a_device_token_of_another_account_or_made_up_is_none(cast: Cast, from_: Any) -> None:
    other = from_(HOME, PASSWORD, email="bo@clinic.example").get_json()["device_token"]
    for _ in range(8):
        from_(ELSEWHERE)
    assert from_(ELSEWHERE, PASSWORD, device_token=other).status_code == 429
    assert from_(ELSEWHERE, PASSWORD, device_token="made up").status_code == 429


@pytest.mark.long
def test_one_address_that_tries_every_account_is_stopped(cast: Cast, from_: Any) -> None:
    answers = [
        from_(ELSEWHERE, email=f"guess{number}@home.example").status_code
        for number in range(SIGN_IN_ADDRESS.most + 1)
    ]
    assert answers == [401] * SIGN_IN_ADDRESS.most + [429]
    assert from_(HOME, PASSWORD).status_code == 201


def test_the_owner_hears_of_it_once_a_day(cast: Cast, from_: Any, clock: Clock, database: Database) -> None:
    guess_everywhere(from_, clock, tries.TOLD_AFTER - 1)
    assert told(database) == []
    guess_everywhere(from_, clock, 5)
    assert told(database) == [cast.ana.account_id]


def told(database: Database) -> list[Any]:
    """Return whose owners were told of tries."""
    with database.read() as session:
        query = select(Delivery.account_id).where(Delivery.template == "sign_in_tried")
        return list(session.scalars(query))


def test_codes_of_invitations_are_not_guessed_for_long(client: FlaskClient, cast: Cast) -> None:
    body = {"code": "guessed", "email": "new@home.example", "password": "four words are fine"}
    answers = [client.post("/v1/enrolments", json=body).status_code for _ in range(31)]
    assert answers == [401] * 30 + [429]


def test_passwords_that_are_refused_keep_nobody_in_the_same_waiting_room_from_enrolling(
    client: FlaskClient, cast: Cast
) -> None:
    hal = {"name": "Hal", "zone": "Europe/Oslo"}
    path = f"/patients/{cast.bo.post('/patients', hal).json['id']}/invitations"
    code = cast.bo.post(path, {"email": "hal@home.example", "word": "harbour"}).json["code"]
    body = {"code": code, "email": "hal@home.example", "proof": "harbour", "password": "x" * 20}
    tries = [client.post("/v1/enrolments", json=body).status_code for _ in range(ENROLMENT_ADDRESS.most)]
    assert set(tries) == {422}
    assert client.post("/v1/enrolments", json={**body, "password": PASSWORD}).status_code == 201


def test_a_clinic_invites_no_more_than_so_many_in_a_day(app: Flask, cast: Cast, clock: Clock) -> None:
    around = Surroundings.of(app)
    with around.database.write() as session:
        for _ in range(INVITATION.most - 1):
            tally.count(session, clock(), INVITATION, str(cast.admin.clinic_id))
    invite = {"role": Role.CLINICIAN, "name": "New", "email": "new@clinic.example"}
    answers = [cast.admin.post("/clinic/invitations", invite).status_code for _ in range(2)]
    assert answers == [201, 429]
    clock.forward(days=1)


def test_exports_of_one_account_end(cast: Cast) -> None:
    answers = [cast.ana.get("/me/export").status_code for _ in range(31)]
    assert answers == [200] * 30 + [429]


def test_webhooks_of_one_clinic_end(cast: Cast) -> None:
    whose = [str(one.account_id) for one in (cast.scheduler, cast.bo, cast.admin, cast.coordinator)]
    answers = [
        cast.admin.post(
            "/clinic/webhooks", {"account_id": whose[number // 8], "url": f"https://hooks.example/{number}"}
        )
        for number in range(31)
    ]
    assert [answer.status_code for answer in answers] == [201] * 30 + [409]
    assert answers[-1].get_json()["code"] == "too-many-webhooks"


def test_one_address_asks_for_no_more_than_so_many_new_passwords(cast: Cast, client: FlaskClient) -> None:
    def asked(address: str, email: str) -> int:
        body = {"clinic": "demo", "email": email}
        return client.post("/v1/recoveries", json=body, environ_base={"REMOTE_ADDR": address}).status_code

    answers = [asked(ELSEWHERE, f"{number}@home.example") for number in range(21)]
    assert answers == [204] * 20 + [429]
    assert asked(HOME, ANA) == 204


def test_a_step_up_by_password_is_not_guessed_for_long(cast: Cast) -> None:
    def step_up(password: str) -> int:
        return cast.ana.post("/sign-ins/step-up", {"password": password}).status_code

    assert [step_up("guessed") for _ in range(7)] == [401] * 6 + [429]
    assert step_up(PASSWORD) == 429


def test_second_factors_are_not_guessed_for_long(database: Database) -> None:
    account_id = uuid7()

    def wait() -> int:
        try:
            with database.write() as session:
                tries.begin_second_factor(session, NOON, account_id)
        except TooMany as refusal:
            return refusal.seconds
        return 0

    assert [wait() for _ in range(8)] == [0] * 6 + [30] * 2
    with database.write() as session:
        tries.end_second_factor(session, account_id)
    assert wait() == 0


def test_what_is_kept_of_a_good_sign_in_is_only_that_the_address_is_known(
    cast: Cast, from_: Any, database: Database
) -> None:
    with database.write() as session:
        for row in session.scalars(select(Tally)):
            session.delete(row)
    from_(HOME, PASSWORD)
    with database.read() as session:
        left = {row.cap: row.count for row in session.scalars(select(Tally))}
    assert left["sign_in_known"] == 1
    assert SIGN_IN_PAIR.name not in left
    assert sum(left.get(cap.name, 0) for cap in CAPS) == 0
