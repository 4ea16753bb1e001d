"""The accounts of a clinic: what its administrator may do, and that it holds from the next request."""

from dataclasses import replace
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Role
from server.database import Database
from server.isolation import Extent
from server.models import Account
from server.services.people import caregiver as caregivers
from server.services.people import totp
from tests.cast import PASSWORD, Cast, entry, new_staff, sign_in
from tests.conftest import Clock
from tests.consents import GUS, caregiver, enrol, invited, mailed_code

CLOSED_AT = datetime(2026, 3, 1, tzinfo=UTC)
BO = {"clinic": "demo", "email": "bo@clinic.example", "password": PASSWORD}


def test_the_admin_reads_the_accounts_of_staff_and_systems_and_no_patients(cast: Cast) -> None:
    rows = cast.admin.get("/clinic/accounts").json["items"]
    assert [(row["name"], row["role"]) for row in rows] == [
        *(("Bo", "clinician"), ("Dee", "coordinator"), ("Eli", "clinic_admin")),
        ("Scheduling", "integration"),
    ]
    assert {(row["has_second_factor"], row["disabled_at"]) for row in rows} == {(False, None)}


def test_whoever_works_at_a_clinic_finds_the_colleague_to_give_something_to(cast: Cast, app: Flask) -> None:
    gone = new_staff(app, cast.admin.clinic_id, Role.CLINICIAN, "Max")
    assert cast.admin.post(f"/clinic/accounts/{gone.account_id}/disable").status_code == 204
    for reader in (cast.bo, cast.coordinator, cast.admin):
        rows = reader.get("/clinic/colleagues").json["items"]
        assert [(row.pop("name"), row.pop("role")) for row in rows] == [
            *(("Bo", "clinician"), ("Dee", "coordinator"), ("Eli", "clinic_admin")),
        ]
        assert all(row.keys() == {"id"} for row in rows), "nobody's address, nobody's factors"
    found = cast.coordinator.get("/clinic/colleagues").json["items"][0]["id"]
    mia = {"name": "Mia", "zone": "Europe/Oslo", "clinician_id": found}
    registered = cast.coordinator.post("/patients", mia)
    assert registered.json["clinician_id"] == str(cast.bo.account_id)


def test_a_disabled_account_is_refused_at_its_next_request_and_can_be_opened_again(
    cast: Cast, client: FlaskClient
) -> None:
    tokens = sign_in(client, "demo", BO["email"])
    path = f"/clinic/accounts/{cast.bo.account_id}"
    assert [cast.admin.post(f"{path}/disable").status_code for _ in range(2)] == [204, 204]
    assert cast.bo.get("/me").status_code == 401
    refresh = client.post("/v1/sign-ins/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert refresh.status_code == 401
    wrong = client.post("/v1/sign-ins", json={**BO, "password": "wrong"})
    answer = client.post("/v1/sign-ins", json=BO)
    assert (answer.status_code, answer.get_data()) == (401, wrong.get_data())
    assert cast.admin.post(f"{path}/enable").status_code == 204
    assert cast.bo.get("/me").status_code == 401, "what was signed in before stays out"
    assert client.post("/v1/sign-ins", json=BO).status_code == 201


def test_with_a_patients_account_their_caregivers_end_and_come_back_by_a_new_invitation_alone(
    cast: Cast, client: FlaskClient
) -> None:
    gus = caregiver(cast)
    fay = {**GUS, "name": "Fay", "email": "fay@mail.example", "scopes": ["read_journal"]}
    assert cast.ana.post("/me/caregivers", fay).status_code == 201
    waiting, path = mailed_code(client), f"/clinic/accounts/{cast.ana.account_id}"
    timeline = f"/cared-for/{cast.ana.patient_id}/timeline"
    assert gus.get(timeline).status_code == 200
    assert [cast.admin.post(f"{path}/disable").status_code for _ in range(2)] == [204, 204]
    assert gus.get(timeline).status_code == 401, "nobody is left who sees what he reads, or could end it"
    assert cast.admin.post(f"{path}/enable").status_code == 204
    assert gus.get(timeline).status_code == 401
    assert enrol(client, waiting, fay["email"]).status_code == 401
    ana = sign_in(client, "demo", "ana@home.example")["access_token"]
    back = replace(cast, ana=replace(cast.ana, token=ana))
    assert {one["ended_at"] is None for one in back.ana.get("/me/caregivers").json["items"]} == {False}
    assert caregiver(back).get(timeline).status_code == 200


def test_caregivers_whom_an_earlier_version_left_behind_a_closed_account_neither_read_nor_come_in(
    cast: Cast, client: FlaskClient, database: Database
) -> None:
    gus, fay = caregiver(cast), {**GUS, "name": "Fay", "email": "fay@mail.example", "scopes": ["log"]}
    assert cast.ana.post("/me/caregivers", fay).status_code == 201
    waiting, path = mailed_code(client), f"/cared-for/{cast.ana.patient_id}"
    with database.write(Extent.ALL) as session:
        session.get_one(Account, (cast.ana.clinic_id, cast.ana.account_id)).disabled_at = CLOSED_AT
    said = entry(CLOSED_AT)
    asked = (
        gus.get(f"{path}/timeline"),
        gus.get(f"{path}/trend"),
        gus.put(f"{path}/entries/{uuid7()}", said),
    )
    assert [answer.status_code for answer in asked] == [404, 404, 404]
    assert gus.get("/cared-for").json["items"] == []
    assert enrol(client, waiting, fay["email"]).status_code == 401
    assert cast.admin.post(f"/clinic/accounts/{cast.ana.account_id}/enable").status_code == 204
    assert gus.get(f"{path}/timeline").status_code == 401, (
        "who comes back has no caregivers but by a new word"
    )


def test_a_patient_who_invites_while_their_account_is_closed_leaves_no_caregiver_behind(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    invited(cast)
    ended, go_on, real = Event(), Event(), caregivers.end_with

    def slow(*args: Any) -> None:
        real(*args)
        ended.set()
        go_on.wait(10)

    monkeypatch.setattr(caregivers, "end_with", slow)
    closing = Thread(target=lambda: cast.admin.post(f"/clinic/accounts/{cast.ana.account_id}/disable"))
    closing.start()
    assert ended.wait(10)
    answers = list[int]()
    fay = {**GUS, "email": "fay@mail.example", "scopes": ["read_journal"]}
    inviting = Thread(target=lambda: answers.append(cast.ana.post("/me/caregivers", fay).status_code))
    inviting.start()
    inviting.join(0.5)
    go_on.set()
    closing.join(15)
    inviting.join(15)
    assert answers == [401]


def test_the_admin_ends_every_sign_in_of_an_account_also_a_patients(cast: Cast, app: Flask) -> None:
    for person in (cast.bo, cast.ana):
        assert cast.admin.delete(f"/clinic/accounts/{person.account_id}/sign-ins").status_code == 204
        assert person.get("/me").status_code == 401
    assert cast.coordinator.get("/me").status_code == 200


def test_the_care_team_ends_the_sign_ins_of_a_patient_who_lost_a_telephone(cast: Cast) -> None:
    path = f"/patients/{cast.ana.patient_id}/sign-ins"
    for other in (cast.cyd, cast.ana, cast.admin):
        assert other.delete(path).status_code in (403, 404)
    assert cast.ana.get("/me").status_code == 200
    assert cast.coordinator.delete(path).status_code == 204
    assert cast.ana.get("/me").status_code == 401


def test_who_is_shut_out_does_not_come_in_again_by_an_invitation_of_their_own(
    cast: Cast, client: FlaskClient, app: Flask
) -> None:
    leaving = new_staff(app, cast.admin.clinic_id, Role.CLINIC_ADMIN, "Max")
    again = {"role": "clinic_admin", "name": "Max", "email": "max@home.example", "word": "tide"}
    colleague = {**again, "name": "Kim", "email": "kim@clinic.example"}
    made = {
        one: who.post("/clinic/invitations", body).json["code"]
        for one, who, body in (("again", leaving, again), ("colleague", cast.admin, colleague))
    }
    hal = cast.bo.post("/patients", {"name": "Hal", "zone": "Europe/Oslo"}).json["id"]
    patient = {"email": "hal@home.example", "word": "tide"}
    made["patient"] = cast.bo.post(f"/patients/{hal}/invitations", patient).json["code"]
    for one in (leaving, cast.bo):
        assert cast.admin.post(f"/clinic/accounts/{one.account_id}/disable").status_code == 204
    came_in = {}
    for one, email in (
        ("again", again["email"]),
        ("colleague", colleague["email"]),
        ("patient", patient["email"]),
    ):
        body = {"code": made[one], "email": email, "proof": "tide", "password": PASSWORD}
        came_in[one] = client.post("/v1/enrolments", json=body).status_code
    assert came_in == {"again": 401, "colleague": 201, "patient": 201}


def test_an_admin_does_not_close_their_own_account(cast: Cast) -> None:
    path = f"/clinic/accounts/{cast.admin.account_id}"
    assert cast.admin.post(f"{path}/disable").json["code"] == "own-account"
    assert cast.admin.delete(f"{path}/factors").json["code"] == "own-account"
    assert cast.admin.get("/me").status_code == 200


def test_who_lost_their_factor_starts_anew_with_another(
    cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    made = cast.bo.post("/me/factors/totp", {"name": "telephone"}).json
    code = {"totp": totp.code_at(made["secret"], clock.now)}
    codes = cast.bo.post(f"/me/factors/totp/{made['id']}/confirm", code).json["recovery_codes"]
    assert client.post("/v1/sign-ins", json=BO).json["code"] == "second-factor-required"
    assert cast.admin.delete(f"/clinic/accounts/{cast.bo.account_id}/factors").status_code == 204
    assert cast.bo.get("/me").status_code == 401
    answer = client.post("/v1/sign-ins", json=BO | {"recovery_code": codes[0]})
    assert answer.status_code == 201, "optional in the tests' settings; where required, it awaits a factor"


def test_nobody_else_may(cast: Cast) -> None:
    path = f"/clinic/accounts/{cast.coordinator.account_id}"
    for other in (cast.bo, cast.ana, cast.scheduler, cast.cyd):
        assert other.get("/clinic/accounts").status_code == 403
        for method, deed in (("DELETE", "sign-ins"), ("POST", "disable"), ("DELETE", "factors")):
            assert other.send(method, f"{path}/{deed}").status_code == 403
    foreign = f"/clinic/accounts/{cast.cyd.account_id}"
    for method, deed in (
        ("DELETE", "sign-ins"),
        ("POST", "disable"),
        ("POST", "enable"),
        ("DELETE", "factors"),
    ):
        assert cast.admin.send(method, f"{foreign}/{deed}").status_code == 404
    assert cast.cyd.get("/me").status_code == 200
