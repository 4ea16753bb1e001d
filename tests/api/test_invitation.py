"""Enrolment: by a code, from the address invited, with what only the invited person was told."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from jobs import deliver, recover
from jobs.around import Around
from server.api.edge import Surroundings
from server.clinical.vocabulary import Channel, Purpose
from server.database import Database
from server.gateways.message import RecordingGateway
from server.models import CheckInPlan, Delivery, Invitation
from server.settings import Settings
from tests.cast import PASSWORD, Cast, Person, new_patient, sign_in
from tests.conftest import Clock
from tests.consents import caregiver, withdraw
from tests.test_concurrency import at_once

GUS = "gus@clinic.example"
ANA, ANA_NEW = "ana@home.example", "ana@new.example"
NEW = {"email": GUS, "password": "a long enough password"}


def invited(cast: Cast, **other: str) -> dict[str, str]:
    """Return code and proof of a fresh staff invitation."""
    body = {"role": "clinician", "name": "Gus", "email": "Gus@clinic.example", **other}
    answer = cast.admin.post("/clinic/invitations", body)
    assert answer.status_code == 201, answer.text
    assert (answer.json["proof"], answer.json["expires_at"]) == ("word", "2026-03-05T12:00:00+00:00")
    return {"code": answer.json["code"], "proof": answer.json["word"]}


def enrol(client: FlaskClient, invitation: dict[str, str], **other: str) -> TestResponse:
    return client.post("/v1/enrolments", json={**NEW, **invitation, **other})


def proven(invitation: dict[str, Any]) -> dict[str, str]:
    """Return what the invited person knows: the code, and the word told by telephone."""
    return {"code": invitation["code"], "proof": invitation["word"]}


def me(client: FlaskClient, token: str) -> TestResponse:
    return client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})


def a_patient(cast: Cast, **details: Any) -> str:
    return str(cast.bo.post("/patients", {"name": "Hal", "zone": "Europe/Oslo", **details}).json["id"])


def invite_patient(cast: Cast, patient: Any, email: str = "hal@home.example") -> dict[str, Any]:
    invitation: dict[str, Any] = cast.bo.post(f"/patients/{patient}/invitations", {"email": email}).json
    return invitation


def test_an_invitation_makes_one_account_and_signs_it_in(cast: Cast, client: FlaskClient) -> None:
    invitation = invited(cast)
    tokens = enrol(client, invitation)
    assert tokens.status_code == 201
    who = me(client, tokens.json["access_token"]).json
    assert (who["role"], who["name"], who["patient_id"]) == ("clinician", "Gus", None)
    assert enrol(client, invitation).status_code == 401
    assert sign_in(client, "demo", GUS, NEW["password"])["access_token"]


def test_an_invitation_ends_after_three_days(cast: Cast, client: FlaskClient, clock: Clock) -> None:
    invitation = invited(cast)
    clock.forward(hours=72, seconds=1)
    assert enrol(client, invitation).status_code == 401


def test_wrong_used_late_cancelled_and_foreign_codes_are_told_alike(
    cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    used, late, cancelled, foreign = (invited(cast) for _ in range(4))
    enrol(client, used)
    for one in cast.admin.get("/clinic/invitations").json["items"][1:2]:
        assert cast.admin.delete(f"/clinic/invitations/{one['id']}").status_code == 204
    answers = [
        enrol(client, used),
        enrol(client, cancelled),
        enrol(client, foreign, email="thief@clinic.example"),
        enrol(client, foreign, proof="000"),
        enrol(client, {"code": "made up", "proof": ""}),
    ]
    clock.forward(hours=73)
    answers.append(enrol(client, late))
    assert {(a.status_code, a.get_data()) for a in answers} == {(401, answers[0].get_data())}


def test_address_and_word_are_forgiving_about_capitals_and_blanks(cast: Cast, client: FlaskClient) -> None:
    invitation = invited(cast, word="Blue  Kettle")
    assert enrol(client, invitation, email="GUS@clinic.example", proof=" blue kettle ").status_code == 201


def test_a_patient_is_asked_for_the_year_of_birth_where_it_is_known(cast: Cast, client: FlaskClient) -> None:
    patient = a_patient(cast, birth_year=1984)
    invitation = invite_patient(cast, patient)
    assert (invitation["proof"], invitation["word"]) == ("birth_year", None)
    told = {"code": invitation["code"], "email": "hal@home.example"}
    assert enrol(client, told, proof="1985").status_code == 401
    assert enrol(client, told, proof="1984").status_code == 201
    assert cast.bo.get(f"/patients/{patient}").json["enrolled_at"] == "2026-03-02T12:00:00+00:00"


def test_who_has_enrolled_has_a_plan_that_the_reminders_look_at_next(
    cast: Cast, client: FlaskClient, clock: Clock, app: Flask
) -> None:
    patient = a_patient(cast)
    answer = enrol(client, proven(invite_patient(cast, patient)), email="hal@home.example")
    assert answer.status_code == 201, answer.text
    with Surroundings.of(app).database.read() as session:
        plan = session.get_one(CheckInPlan, (cast.ana.clinic_id, UUID(patient)))
    assert (plan.reminders, plan.next_at) == (True, clock.now)


def test_a_year_of_birth_that_was_corrected_meanwhile_is_the_one_that_is_asked_for(
    cast: Cast, client: FlaskClient
) -> None:
    patient = a_patient(cast, birth_year=1948)
    invitation = {"code": invite_patient(cast, patient)["code"], "email": "hal@home.example"}
    assert enrol(client, invitation, proof="1984").status_code == 401, "the clinic has mistyped it"
    assert cast.bo.patch(f"/patients/{patient}", {"birth_year": 1984}, version=1).status_code == 200
    assert enrol(client, invitation, proof="1948").status_code == 401
    assert enrol(client, invitation, proof="1984").status_code == 201


def test_five_tries_that_do_not_fit_end_the_code_also_when_they_come_at_once(
    cast: Cast, app: Flask, client: FlaskClient
) -> None:
    patient = a_patient(cast, birth_year=1984)
    told = {"code": invite_patient(cast, patient)["code"], "email": "hal@home.example"}
    years = [str(year) for year in range(1950, 1962)]
    at_once([lambda y=year: enrol(app.test_client(), told, proof=y) for year in years])
    assert enrol(client, told, proof="1984").status_code == 401
    assert cast.bo.get(f"/patients/{patient}/invitations").json["items"] == []
    with Surroundings.of(app).database.read() as session:
        assert session.scalars(select(Invitation)).one().tries == 5


def test_four_tries_that_do_not_fit_leave_it_good(cast: Cast, client: FlaskClient) -> None:
    invitation = invited(cast)
    for _ in range(4):
        assert enrol(client, invitation, proof="no").status_code == 401
    (shown,) = cast.admin.get("/clinic/invitations").json["items"]
    assert (shown["tries"], shown["name"], shown["role"]) == (4, "Gus", "clinician")
    assert enrol(client, invitation).status_code == 201


def test_nothing_that_would_open_an_invitation_lies_in_the_database(cast: Cast, app: Flask) -> None:
    invitation = invited(cast, word="blue kettle")
    with Surroundings.of(app).database.read() as session:
        row = str(vars(session.scalars(select(Invitation)).one())).casefold()
    assert not any(secret.casefold() in row for secret in (*invitation.values(), GUS, "bluekettle"))


def test_a_new_invitation_ends_the_patients_earlier_one(cast: Cast, client: FlaskClient) -> None:
    patient = a_patient(cast)
    first, second = (invite_patient(cast, patient) for _ in range(2))
    told = [
        {"code": one["code"], "proof": one["word"], "email": "hal@home.example"} for one in (first, second)
    ]
    assert enrol(client, told[0]).status_code == 401
    tokens = enrol(client, told[1]).json
    assert me(client, tokens["access_token"]).json["patient_id"] == patient


def test_a_failed_enrolment_leaves_the_code_usable(cast: Cast, client: FlaskClient) -> None:
    invitation = invited(cast)
    assert enrol(client, invitation, password="x" * 20).status_code == 422
    assert enrol(client, invitation).status_code == 201


@pytest.mark.parametrize(
    "password", ["short", "x" * 14, "x" * 129, "fifteen chars \x00 x", "gus@clinic.example"]
)
def test_a_password_is_long_printable_and_not_the_first_that_is_tried(
    cast: Cast, client: FlaskClient, password: str
) -> None:
    answer = enrol(client, invited(cast), password=password)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/password"
    assert password not in answer.text


def test_an_accented_password_is_the_same_however_a_keyboard_writes_it(
    cast: Cast, client: FlaskClient
) -> None:
    assert enrol(client, invited(cast), password="la forêt près d'ici").status_code == 201
    decomposed = "la fore\u0302t pre\u0300s d'ici"
    assert sign_in(client, "demo", GUS, decomposed)["access_token"]


# Invited again


@pytest.fixture
def email() -> RecordingGateway:
    """The mail server."""
    return RecordingGateway()


@pytest.fixture
def around(database: Database, settings: Settings, email: RecordingGateway) -> Around:
    """What the jobs work with."""
    return Around(database, settings, {Channel.EMAIL: email})


def mails(around: Around, email: RecordingGateway, clock: Clock) -> list[tuple[str, str]]:
    """Let what is due go out; return to whom it went, and what it was."""
    email.sent.clear()
    deliver.run(around, clock.now)
    return sorted((one.to, one.kind.removeprefix("notice.")) for one in email.sent)


def moving(cast: Cast, who: Person | None = None) -> dict[str, str]:
    """Invite Ana, who has an account, at another address; return what enrols with it."""
    path = f"/patients/{cast.ana.patient_id}/invitations"
    invitation = (who or cast.bo).post(path, {"email": ANA_NEW, "word": "blue kettle"})
    assert invitation.status_code == 201, invitation.text
    return {"code": invitation.json["code"], "proof": "blue kettle", "email": ANA_NEW}


def test_a_patient_who_is_invited_at_another_address_gets_their_own_journal_back_a_day_later(
    cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    told = moving(cast)
    clock.forward(hours=23)
    assert enrol(client, told).json["code"] == "invitation-waits"
    clock.forward(hours=1)
    tokens = enrol(client, told).json
    who = me(client, tokens["access_token"]).json
    assert (who["account_id"], who["patient_id"]) == (str(cast.ana.account_id), str(cast.ana.patient_id))
    assert cast.ana.get("/me").status_code == 401, "what was signed in before is not any more"
    old = {"clinic": "demo", "email": ANA, "password": PASSWORD}
    assert client.post("/v1/sign-ins", json=old).status_code == 401


def test_the_old_address_is_told_when_another_is_invited_and_again_when_it_was_used(
    cast: Cast, client: FlaskClient, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    told = moving(cast)
    assert mails(around, email, clock) == [(ANA, "account_asked")]
    clock.forward(hours=24)
    assert enrol(client, told).status_code == 201
    assert mails(around, email, clock) == [(ANA, "sign_in_changed"), (ANA_NEW, "sign_in_changed")]


@pytest.mark.parametrize("address", [ANA, ANA_NEW])
def test_a_link_to_a_new_password_from_before_does_not_take_a_returned_account_away(
    cast: Cast,
    client: FlaskClient,
    clock: Clock,
    around: Around,
    email: RecordingGateway,
    address: str,
) -> None:
    path = f"/patients/{cast.ana.patient_id}/invitations"
    told = cast.bo.post(path, {"email": address, "word": "blue kettle"}).json
    mails(around, email, clock)
    code = told["code"] or email.sent[0].link.partition("#")[2]
    clock.forward(hours=24)
    client.post("/v1/recoveries", json={"clinic": "demo", "email": ANA})
    recover.run(around, clock.now)
    mails(around, email, clock)
    (link,) = [one.link for one in email.sent if one.kind == "notice.password_recovery"]
    assert enrol(client, {"code": code, "proof": "blue kettle", "email": address}).status_code == 201
    new = {"code": link.partition("#")[2], "password": "of whoever reads the old mailbox"}
    assert client.post("/v1/recoveries/redeem", json=new).status_code == 401
    sign_in(client, "demo", address, NEW["password"])


def test_the_owner_who_signs_in_ends_what_would_move_the_account(
    cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    told = moving(cast)
    clock.forward(hours=2)
    sign_in(client, "demo", ANA)
    clock.forward(hours=23)
    assert enrol(client, told).status_code == 401
    assert cast.bo.get(f"/patients/{cast.ana.patient_id}/invitations").json["items"] == []


def test_the_owner_who_is_signed_in_and_changes_the_password_ends_it_too(
    cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    told = moving(cast)
    clock.forward(hours=2)
    changed = {"current_password": PASSWORD, "new_password": "my own four words"}
    assert cast.ana.put("/me/password", changed).status_code == 204
    clock.forward(hours=23)
    assert enrol(client, told).status_code == 401
    assert cast.ana.get("/me").status_code == 200
    sign_in(client, "demo", ANA, "my own four words")


def test_at_a_patients_own_address_the_code_is_told_to_that_address_alone(
    cast: Cast, client: FlaskClient, clock: Clock, around: Around, email: RecordingGateway, database: Database
) -> None:
    path = f"/patients/{cast.ana.patient_id}/invitations"
    withdraw(cast, Purpose.CARE_TEAM)
    invitation = cast.bo.post(path, {"email": "Ana@home.example", "word": "blue kettle"}).json
    assert invitation["code"] is None
    assert mails(around, email, clock) == [(ANA, "invitation_code")]
    (sent,) = email.sent
    with database.read() as session:
        assert set(session.scalars(select(Delivery.sealed_secret))) == {None}, "sent, it is forgotten"
    told = {"code": sent.link.partition("#")[2], "proof": "blue kettle", "email": ANA}
    assert enrol(client, told).status_code == 201, "at once"
    assert "#" not in sent.short


def test_whom_a_patient_told_no_cannot_move_their_account_and_the_try_is_on_record(cast: Cast) -> None:
    withdraw(cast, Purpose.CARE_TEAM)
    path = f"/patients/{cast.ana.patient_id}/invitations"
    for who in (cast.bo, cast.coordinator):
        answer = who.post(path, {"email": ANA_NEW})
        assert (answer.status_code, answer.json["code"]) == (403, "consent-withdrawn")
    actions = [one["action"] for one in cast.admin.get("/audit-events").json["items"]]
    assert actions.count("refused.invite_patient") == 2


def test_a_no_ends_what_the_team_asked_for_before_it(cast: Cast, client: FlaskClient, clock: Clock) -> None:
    told = moving(cast)
    withdraw(cast, Purpose.CARE_TEAM)
    clock.forward(hours=25)
    assert enrol(client, told).status_code == 401


def test_for_a_lost_mailbox_the_administrator_invites_and_everybody_hears_of_it(
    cast: Cast, client: FlaskClient, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    withdraw(cast, Purpose.CARE_TEAM)
    told = moving(cast, cast.admin)
    assert mails(around, email, clock) == [
        (ANA, "account_asked"),
        ("bo@clinic.example", "account_moving"),
        ("eli@clinic.example", "account_moving"),
    ]
    assert "invitation.move" in cast.admin.get("/audit-events").text
    assert enrol(client, told).json["code"] == "invitation-waits"
    clock.forward(hours=24)
    assert enrol(client, told).status_code == 201


def test_nobody_joins_the_staff_unseen_by_those_who_read_patients_and_run_the_clinic(
    cast: Cast, client: FlaskClient, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    """An administrator reads no patient, but might come in a second time as somebody who does."""
    eli = "eli@home.example"
    answer = enrol(client, invited(cast, role="clinician", email=eli), email=eli)
    other = Person(client, answer.json["access_token"], cast.admin.account_id, cast.admin.clinic_id)
    assert other.get(f"/patients/{cast.ana.patient_id}").status_code == 200
    assert mails(around, email, clock) == [
        ("bo@clinic.example", "staff_joined"),
        ("eli@clinic.example", "staff_joined"),
    ]
    system = invited(cast, role="integration", email="other@clinic.example")
    assert enrol(client, system, email="other@clinic.example").status_code == 201
    assert mails(around, email, clock) == [], "a system reads no patient"


def test_an_administrator_invites_no_patient_who_never_had_an_account(cast: Cast) -> None:
    answer = cast.admin.post(f"/patients/{a_patient(cast)}/invitations", {"email": "hal@home.example"})
    assert (answer.status_code, answer.json["code"]) == (409, "no-account")


def test_inviting_who_has_an_account_asks_for_a_proof_of_the_last_minutes(cast: Cast, clock: Clock) -> None:
    clock.forward(minutes=6)
    body, headers = {"email": ANA}, {"Authorization": f"Bearer {cast.bo.token}"}
    path = f"/v1/patients/{cast.ana.patient_id}/invitations"
    answer = cast.bo.client.post(path, json=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "step-up-required")


@pytest.mark.parametrize("email", [ANA, ANA_NEW])
def test_whoever_invites_a_patient_whose_account_is_closed_is_told_so(cast: Cast, email: str) -> None:
    account, path = f"/clinic/accounts/{cast.ana.account_id}", f"/patients/{cast.ana.patient_id}/invitations"
    assert cast.admin.post(f"{account}/disable").status_code == 204
    refused = cast.bo.post(path, {"email": email})
    assert (refused.status_code, refused.json.get("code")) == (409, "account-disabled")
    assert cast.admin.post(f"{account}/enable").status_code == 204
    assert cast.bo.post(path, {"email": email}).status_code == 201


@pytest.mark.parametrize("email", ["Bo@clinic.example", "fee@home.example", "gus@home.example"])
def test_whoever_invites_at_anothers_address_is_told_at_once_and_it_is_on_record(
    app: Flask, cast: Cast, email: str
) -> None:
    """An address opens one account of a clinic: a colleague's, another patient's, a caregiver's."""
    new_patient(app, cast.ana.clinic_id, "Fee", None), caregiver(cast)
    staff = {"role": "clinician", "name": "Lin", "email": email}
    for answer in (
        cast.bo.post(f"/patients/{a_patient(cast)}/invitations", {"email": email}),
        cast.bo.post(f"/patients/{cast.ana.patient_id}/invitations", {"email": email}),
        cast.admin.post("/clinic/invitations", staff),
    ):
        assert (answer.status_code, answer.json.get("code")) == (409, "email-taken")
    actions = [one["action"] for one in cast.admin.get("/audit-events").json["items"]]
    assert (actions.count("refused.invite_patient"), actions.count("refused.invite_staff")) == (2, 1)


def test_of_two_who_are_invited_at_one_address_the_second_does_not_take_it(
    cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    moved = proven(invite_patient(cast, cast.ana.patient_id, GUS))
    assert enrol(client, invited(cast)).status_code == 201
    clock.forward(hours=24)
    assert enrol(client, moved).json["code"] == "email-taken"
    assert me(client, sign_in(client, "demo", ANA)["access_token"]).status_code == 200


# Who may


def test_only_ones_own_clinics_invitations_are_seen_and_taken_back(cast: Cast) -> None:
    invited(cast)
    patient = invite_patient(cast, cast.ana.patient_id)["id"]
    (row,) = cast.admin.get("/clinic/invitations").json["items"]
    path = f"/patients/{cast.ana.patient_id}/invitations"
    for other in (cast.bo, cast.coordinator, cast.ana, cast.scheduler, cast.cyd):
        assert other.get("/clinic/invitations").status_code == 403
        assert other.delete(f"/clinic/invitations/{row['id']}").status_code == 403
    assert cast.cyd.get(path).status_code == 404
    assert cast.cyd.delete(f"{path}/{patient}").status_code == 404
    assert cast.admin.delete(f"/clinic/invitations/{patient}").status_code == 404
    assert [one["id"] for one in cast.coordinator.get(path).json["items"]] == [patient]
    assert [cast.coordinator.delete(f"{path}/{patient}").status_code for _ in range(2)] == [204, 404]
