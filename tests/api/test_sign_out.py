"""What a new password and ending sign-ins end; and what of tries to get in is on record."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from server.api.edge import Surroundings
from server.clinical.vocabulary import Purpose
from server.database import Database
from server.isolation import Extent
from server.models import Account, AuditEvent
from server.services.errors import NotSignedIn
from server.services.people import factor as factors
from server.services.people import sign_in as sign_ins
from server.services.people import sign_out, ticket, totp
from server.services.people.sign_in import Credentials
from tests.api.test_export_link import asked, changed, follow, urls
from tests.cast import PASSWORD, Cast, as_work, sign_in
from tests.conftest import Clock
from tests.consents import GUS, agree


def actions(database: Database) -> list[tuple[str, Any]]:
    """Return what is on record, oldest first, and of which patient."""
    with database.read(Extent.ALL) as session:
        found = session.execute(select(AuditEvent.action, AuditEvent.patient_id).order_by(AuditEvent.id))
        return [(row.action, row.patient_id) for row in found]


def found(app: Flask) -> Account:
    """Return Ana's account as a sign-in does that has just looked at her password."""
    around = Surroundings.of(app)
    with around.database.read(Extent.DOOR) as session:
        known = Credentials("demo", "ana@home.example", PASSWORD)
        account = sign_ins.find_account(session, known, around.passwords)
        session.expunge(account)
        return account


@pytest.mark.parametrize("change", ["password_hash", "disabled_at"])
def test_a_sign_in_that_began_before_the_password_was_changed_or_the_account_closed_goes_nowhere(
    cast: Cast, app: Flask, database: Database, clock: Clock, change: str
) -> None:
    before = found(app)
    value = "another" if change == "password_hash" else clock.now
    with database.write() as session:
        mine = Account.clinic_id == cast.ana.clinic_id, Account.id == cast.ana.account_id
        session.execute(update(Account).where(*mine).values({change: value}))
    with database.write() as session, pytest.raises(NotSignedIn):
        sign_ins.locked(as_work(app, cast.ana, session), before)


def test_a_ticket_from_before_a_new_password_proves_nothing(
    cast: Cast, app: Flask, database: Database
) -> None:
    with database.write() as session:
        secret, _ = ticket.issue(as_work(app, cast.scheduler, session), cast.ana.account_id)
        sign_out.everywhere(as_work(app, cast.ana, session), cast.ana.account_id)
    with database.read() as session, pytest.raises(NotSignedIn):
        ticket.find(session, Surroundings.of(app).clock(), secret)


def test_signing_out_everywhere_ends_the_links_one_asked_for_and_no_others(cast: Cast, app: Flask) -> None:
    own = urls(asked(cast.ana, ["json"]))["json"]
    by_clinic = cast.bo.post(
        f"/patients/{cast.ana.patient_id}/exports", {"formats": ["json"], "reason": "A move."}
    )
    assert follow(app, own).status_code == 200
    assert cast.ana.delete("/me/sign-ins").status_code == 204
    assert follow(app, own).status_code == 404
    assert follow(app, urls(by_clinic.json)["json"]).status_code == 200


def test_whatever_ends_the_sign_ins_of_somebody_ends_the_links_they_asked_for(cast: Cast, app: Flask) -> None:
    account = f"/clinic/accounts/{cast.ana.account_id}"
    another = {"current_password": PASSWORD, "new_password": "another horse battery"}
    ways: list[list[tuple[str, str, str, Any]]] = [
        [("bo", "DELETE", f"/patients/{cast.ana.patient_id}/sign-ins", None)],
        [("admin", "DELETE", f"{account}/sign-ins", None)],
        [("admin", "DELETE", f"{account}/factors", None)],
        [("admin", "POST", f"{account}/disable", None), ("admin", "POST", f"{account}/enable", None)],
        [("ana", "PUT", "/me/password", another)],
    ]
    for way in ways:
        token = sign_in(app.test_client(), "demo", "ana@home.example")["access_token"]
        playing = replace(cast, ana=replace(cast.ana, token=token))
        link = urls(asked(playing.ana, ["json"]))["json"]
        assert follow(app, link).status_code == 200
        assert [getattr(playing, who).send(*what).status_code for who, *what in way] == [204] * len(way)
        assert follow(app, link).status_code == 404, way


def test_a_factor_that_was_taken_away_while_it_was_looked_at_proves_nothing(
    cast: Cast, app: Flask, database: Database, clock: Clock
) -> None:
    made = cast.bo.post("/me/factors/totp", {"name": "telephone"}).json
    code = totp.code_at(made["secret"], clock.now)
    assert cast.bo.post(f"/me/factors/totp/{made['id']}/confirm", {"totp": code}).status_code == 200
    clock.forward(minutes=1)
    with database.read() as session:
        (telephone,) = factors.confirmed(as_work(app, cast.bo, session), cast.bo.account_id)
        session.expunge(telephone)
    with database.write() as session:
        factors.reset(as_work(app, cast.admin, session), cast.bo.account_id)
    with database.write() as session:
        later = totp.code_at(made["secret"], clock.now)
        assert not totp.fits(as_work(app, cast.bo, session), telephone, later)


def test_a_wrong_password_is_on_record_whether_or_not_there_is_such_an_account(
    cast: Cast, client: FlaskClient, database: Database
) -> None:
    body = {"clinic": "demo", "email": "ana@home.example", "password": "not this one"}
    answers = [client.post("/v1/sign-ins", json={**body, **it}) for it in ({}, {"email": "x@y.example"})]
    assert {(one.status_code, one.get_data()) for one in answers} == {(401, answers[0].get_data())}
    refused = [patient for action, patient in actions(database) if action == "sign-in.refused"]
    assert refused == [cast.ana.patient_id, None]


def test_a_wrong_step_up_and_an_export_without_one_are_on_record(
    cast: Cast, client: FlaskClient, database: Database, clock: Clock
) -> None:
    clock.forward(minutes=6)
    headers = {"Authorization": f"Bearer {cast.ana.token}"}
    refused = client.post("/v1/me/exports", json={"formats": ["json"]}, headers=headers)
    assert refused.json["code"] == "step-up-required"
    assert cast.ana.post("/sign-ins/step-up", {"password": "not this one"}).status_code == 401
    said = [action for action, _ in actions(database)]
    assert {"refused.create_export", "step-up.refused"} <= set(said)


def test_a_forged_and_a_revoked_link_are_on_record_where_there_is_such_a_link(
    cast: Cast, app: Flask, database: Database
) -> None:
    link = asked(cast.ana, ["json"])
    url = urls(link)["json"]
    assert follow(app, changed(url, proof="x" * 43)).status_code in (404, 422)
    assert cast.ana.delete(f"/me/exports/{link['id']}").status_code == 204
    assert follow(app, url).status_code == 404
    other = url.replace(link["id"], str(cast.ana.account_id))
    assert follow(app, other).status_code == 404
    refused = [patient for action, patient in actions(database) if action == "export-link.refused"]
    assert refused == [cast.ana.patient_id] * 2


def test_one_patient_cannot_use_up_the_invitations_of_the_clinic(cast: Cast) -> None:
    agree(cast, Purpose.CAREGIVER)
    codes = []
    for number in range(21):
        body = {**GUS, "email": f"g{number}@home.example", "scopes": ["log"]}
        answer = cast.ana.post("/me/caregivers", body)
        codes.append(answer.status_code)
        if answer.status_code == 201:
            cast.ana.delete(f"/me/caregivers/{answer.json['id']}")
    assert (codes.count(201), codes[-1]) == (20, 429)
    staff = {"role": "clinician", "name": "Kim", "email": "kim@clinic.example"}
    assert cast.admin.post("/clinic/invitations", staff).status_code == 201
