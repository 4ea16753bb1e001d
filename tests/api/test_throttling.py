"""Whoever asks too fast waits; nothing is lost, and what cannot wait does not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.api.address import client_address
from server.api.edge import EXTENSION, Surroundings
from server.app import trust
from server.clinical.vocabulary import Role
from server.database import Database
from server.throttle import Buckets, Throttle
from tests.cast import PASSWORD, Cast, entry, new_staff, opened_alerts, pushed, sign_in
from tests.conftest import NOON
from tests.consents import caregiver

FEW = 10


class Seconds:
    """What the limits measure, moved by a test."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    """The clock of the limits."""
    return Seconds()


@pytest.fixture
def few(app: Flask, seconds: Seconds) -> Throttle:
    """Ten requests a minute of one device."""
    return limit(app, seconds)


def limit(app: Flask, seconds: Seconds) -> Throttle:
    """Let ``app`` take ten requests a minute of one device from now on."""
    throttle = Throttle(FEW, Buckets(seconds))
    app.extensions[EXTENSION] = replace(Surroundings.of(app), throttle=throttle)
    return throttle


def until_refused(ask: Callable[[], TestResponse], most: int = 3 * FEW) -> TestResponse:
    """Return the first refusal."""
    return next(answer for answer in (ask() for _ in range(most)) if answer.status_code == 429)


def test_too_many_requests_are_told_when_to_come_again(cast: Cast, few: Throttle, seconds: Seconds) -> None:
    refused = until_refused(lambda: cast.ana.get("/me"))
    assert refused.content_type == "application/problem+json"
    assert refused.get_json()["code"] == "too-many"
    wait = int(refused.headers["Retry-After"])
    assert 1 <= wait <= 60
    seconds.now += wait
    assert cast.ana.get("/me").status_code == 200


def test_under_fhir_it_is_an_outcome(cast: Cast, few: Throttle) -> None:
    headers = {"Authorization": f"Bearer {cast.bo.token}"}
    refused = until_refused(lambda: cast.bo.client.get("/fhir/R4/Patient", headers=headers))
    assert refused.get_json()["issue"][0]["code"] == "throttled"
    assert int(refused.headers["Retry-After"]) >= 1


def test_a_second_device_of_the_same_person_goes_on_until_the_account_is_over_its_limit(
    app: Flask, cast: Cast, few: Throttle
) -> None:
    until_refused(lambda: cast.bo.get("/me"))
    tablet = replace(cast.bo, token=sign_in(app.test_client(), "demo", "bo@clinic.example")["access_token"])
    answers = [tablet.get("/me").status_code for _ in range(FEW + 1)]
    assert answers == [200] * FEW + [429]


@pytest.mark.long
def test_a_busy_clinic_keeps_no_patient_out(app: Flask, cast: Cast, seconds: Seconds) -> None:
    staff = [new_staff(app, cast.bo.clinic_id, Role.CLINICIAN, f"Bo{number}") for number in range(21)]
    limit(app, seconds)
    for one in staff[:-1]:
        for _ in range(FEW):
            one.get("/me")
    assert staff[-1].get("/me").status_code == 429
    assert cast.cyd.get("/me").status_code == 200
    assert cast.ana.put(f"/entries/{uuid7()}", entry(NOON)).status_code == 201


def test_a_busy_clinic_keeps_no_caregiver_out_who_writes_in_a_diary(
    app: Flask, cast: Cast, seconds: Seconds
) -> None:
    gus = caregiver(cast, ["log"])
    throttle, written = limit(app, seconds), f"/cared-for/{cast.ana.patient_id}/entries"
    while not throttle.clinic(str(cast.bo.clinic_id)):
        pass  # everybody else at the clinic sends as much as it may
    assert cast.bo.get("/me").status_code == 429
    assert gus.put(f"{written}/{uuid7()}", entry(NOON)).status_code == 201
    # Their own limit holds for them as for anybody, and loses nothing that cannot wait.
    until_refused(lambda: gus.get("/me"))
    refused = gus.put(f"{written}/{uuid7()}", entry(NOON, safety="plan"))
    assert (refused.status_code, bool(refused.get_json()["notice"])) == (429, True)


def test_what_caregivers_send_keeps_nobody_of_the_clinic_waiting(
    app: Flask, cast: Cast, seconds: Seconds
) -> None:
    gus = caregiver(cast, ["log"])
    throttle, clinic = limit(app, seconds), str(cast.bo.clinic_id)
    assert gus.get("/me").status_code == 200
    assert sum(not throttle.clinic(clinic) for _ in range(30 * FEW)) == 20 * FEW


def test_an_entry_that_comes_too_fast_is_not_lost_but_asked_for_again(
    cast: Cast, few: Throttle, seconds: Seconds
) -> None:
    until_refused(lambda: cast.ana.get("/me"))
    path, body = f"/entries/{uuid7()}", entry(NOON)
    refused = cast.ana.put(path, body)
    assert (refused.status_code, refused.get_json().get("notice")) == (429, None)
    seconds.now += int(refused.headers["Retry-After"])
    assert cast.ana.put(path, body).status_code == 201


def test_what_a_refused_entry_says_about_danger_is_acted_on(
    cast: Cast, few: Throttle, database: Database
) -> None:
    until_refused(lambda: cast.ana.get("/me"))
    refused = cast.ana.put(f"/entries/{uuid7()}", entry(NOON, safety="plan"))
    assert refused.status_code == 429
    assert refused.get_json()["notice"]["crisis_lines"]
    (alert,) = opened_alerts(database)
    assert alert.patient_id == cast.ana.patient_id


def test_so_is_what_a_refused_batch_says_however_large(cast: Cast, few: Throttle, database: Database) -> None:
    until_refused(lambda: cast.ana.get("/me"))
    long = [pushed("entry", entry(NOON, note="long " * 1900)) for _ in range(40)]
    last = pushed("entry", entry(NOON - timedelta(hours=1), safety="plan"))
    refused = cast.ana.post("/sync", {"items": [*long, last]})
    assert refused.status_code == 429
    assert refused.get_json()["notice"]["crisis_lines"]
    assert len(opened_alerts(database)) == 1


def test_reading_what_is_refused_has_a_limit_of_its_own(cast: Cast, few: Throttle) -> None:
    until_refused(lambda: cast.ana.get("/me"))
    body = entry(NOON, safety="plan")
    answers = [cast.ana.put(f"/entries/{uuid7()}", body).get_json() for _ in range(3)]
    assert [answer.get("notice") is not None for answer in answers] == [True, False, False]


def test_tokens_that_are_none_are_soon_not_looked_at(app: Flask, cast: Cast, few: Throttle) -> None:
    forged = replace(cast.ana, token="forged")
    answers = [forged.get("/me").status_code for _ in range(FEW + 2)]
    assert answers == [401] * FEW + [429] * 2
    # Whoever is signed in at the same address goes on.
    assert cast.ana.get("/me").status_code == 200


def test_ways_in_that_lead_nowhere_count_as_well(app: Flask, cast: Cast, few: Throttle) -> None:
    client = app.test_client()
    for _ in range(FEW):
        client.get(f"/v1/sms-reports/{uuid7()}?proof=x&status=1")
    body = {"clinic": "demo", "email": "ana@clinic.example", "password": PASSWORD}
    assert client.post("/v1/sign-ins", json=body).status_code == 429


def test_a_load_balancer_is_answered_whatever_comes_from_its_address(app: Flask, few: Throttle) -> None:
    client = app.test_client()
    for _ in range(2 * FEW):
        client.get("/v1/nowhere")
    assert [client.get(path).status_code for path in ("/livez", "/v1/status")] == [200, 200]
    assert client.get("/readyz").status_code == 429


def test_who_holds_a_refresh_token_stays_signed_in_beside_a_flood_from_the_same_address(
    app: Flask, cast: Cast, few: Throttle
) -> None:
    client = app.test_client()
    held = {"refresh_token": sign_in(client, "demo", "ana@home.example")["refresh_token"]}
    for _ in range(2 * FEW):
        client.post("/v1/sign-ins/refresh", json={"refresh_token": "guessed"})
    assert client.post("/v1/sign-ins", json={}).status_code == 429
    assert client.post("/v1/sign-ins/refresh", json=held).status_code == 200


NEAREST = {"REMOTE_ADDR": "10.0.0.1"}


@pytest.mark.parametrize(
    ("proxies", "header", "counted"),
    [
        (0, "203.0.113.7", "10.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7, 10.0.0.9", "203.0.113.7"),
        (2, "203.0.113.7", "10.0.0.1"),
        (1, "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
        (1, "no address", "unknown"),
    ],
)
def test_nobody_chooses_the_address_they_are_counted_under(proxies: int, header: str, counted: str) -> None:
    app = Flask("behind proxies")
    app.add_url_rule("/", view_func=client_address)
    trust(app, proxies)
    answer = app.test_client().get("/", headers={"X-Forwarded-For": header}, environ_base=NEAREST)
    assert answer.text == counted


def test_a_caregiver_who_may_not_write_for_somebody_raises_nothing_however_fast_they_ask(
    app: Flask, cast: Cast, seconds: Seconds, database: Database
) -> None:
    gus = caregiver(cast, ["read_trend"])
    joe = cast.bo.post("/patients", {"name": "Joe", "zone": "Europe/Oslo"}).json["id"]
    limit(app, seconds)
    answers = []
    for patient_id in (joe, cast.ana.patient_id):
        seconds.now += 60
        until_refused(lambda: gus.get("/me"))
        path = f"/cared-for/{patient_id}/entries/{uuid7()}"
        answers.append(gus.put(path, entry(NOON, safety="plan")))
    assert opened_alerts(database) == []
    assert [(one.status_code, one.json.get("notice")) for one in answers] == [(404, None), (403, None)]
