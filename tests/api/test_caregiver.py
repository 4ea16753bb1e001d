"""Caregivers: by invitation alone, only what was allowed, seen at everything, and gone at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.api.edge import EXTENSION
from server.clinical.vocabulary import Purpose, Role
from server.database import Database
from server.isolation import Extent
from server.models import Account, Caregiver, Entry, Invitation
from server.services.messages import outbox
from tests.canary import operations
from tests.cast import Cast, Person, entry, new_patient, sign_in
from tests.conftest import Clock
from tests.consents import GUS, WORD, agree, caregiver, enrol, invited, mailed_code, publish, withdraw
from tests.scales import filled

# All that a caregiver may call. Whatever is not here answers 403.
ALLOWED = {
    "delete /v1/me/sign-ins",
    "delete /v1/me/sign-ins/{sign_in_id}",
    "get /v1/me/sign-ins",
    "post /v1/sign-ins/step-up",
    "delete /v1/cared-for/{patient_id}",
    "delete /v1/sign-ins/current",
    "get /v1/cared-for",
    "get /v1/cared-for/{patient_id}/timeline",
    "get /v1/cared-for/{patient_id}/trend",
    "get /v1/me",
    "post /v1/cared-for",
    "put /v1/cared-for/{patient_id}/entries/{entry_id}",
    "put /v1/me/password",
}


def path(cast: Cast, what: str) -> str:
    return f"/cared-for/{cast.ana.patient_id}/{what}"


def test_what_a_caregiver_may_call_is_a_short_list() -> None:
    assert {name for name, said in operations() if Role.CAREGIVER in said["x-roles"]} == ALLOWED


def test_an_invitation_needs_the_patients_consent(cast: Cast) -> None:
    body = {**GUS, "scopes": ["log"]}
    assert cast.ana.post("/me/caregivers", body).json["code"] == "consent-withdrawn"
    publish(cast, Purpose.CAREGIVER)
    assert cast.ana.post("/me/caregivers", body).status_code == 403, "a text is no yes"
    agree(cast, Purpose.CAREGIVER)
    assert cast.ana.post("/me/caregivers", body).status_code == 201
    for who in (cast.bo, cast.coordinator, cast.admin, cast.scheduler):
        assert who.post("/me/caregivers", body).status_code == 403
        assert who.get("/me/caregivers").status_code == 403


def test_who_only_holds_the_patients_unlocked_phone_lets_nobody_read_and_can_end_it(
    cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    caregiver(cast, ["log"])
    (gus,) = cast.ana.get("/me/caregivers").json["items"]
    one, more, less = (
        f"/v1/me/caregivers/{gus['id']}",
        {"scopes": ["log", "read_journal"]},
        {"scopes": ["log"]},
    )
    clock.forward(minutes=6)

    def asked(method: str, where: str, body: Any = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {cast.ana.token}"}
        return client.open(where, method=method, json=body, headers=headers)

    ivy = {**GUS, "email": "ivy@home.example", "scopes": ["read_journal"]}
    for method, where, body in (("POST", "/v1/me/caregivers", ivy), ("PATCH", one, more)):
        answer = asked(method, where, body)
        assert (answer.status_code, answer.json.get("code")) == (403, "step-up-required"), where
    assert [row["scopes"] for row in cast.ana.get("/me/caregivers").json["items"]] == [["log"]]
    assert asked("PATCH", one, less).status_code == 200
    assert asked("DELETE", one).status_code == 204


@pytest.mark.parametrize(("first", "then"), [(["log"], ["read_trend"]), (["log", "read_trend"], ["log"])])
def test_who_is_invited_again_may_do_what_the_newest_invitation_says_and_nothing_else(
    cast: Cast, clock: Clock, first: list[str], then: list[str]
) -> None:
    gus = caregiver(cast, first)
    assert cast.ana.post("/me/caregivers", {**GUS, "scopes": then}).status_code == 201
    told = gus.post("/cared-for", {"code": mailed_code(cast.ana.client), "proof": WORD}).json
    assert [one["scopes"] for one in told["items"]] == [then]
    log = gus.put(path(cast, f"entries/{uuid7()}"), entry(clock.now)).status_code
    assert (log, gus.get(path(cast, "trend")).status_code) == ((201, 403) if "log" in then else (403, 200))
    (newest, before) = cast.ana.get("/me/caregivers").json["items"]
    assert (newest["ended_at"], before["ended_at"]) == (None, clock.now.isoformat())
    assert cast.ana.delete(f"/me/caregivers/{newest['id']}").status_code == 204
    assert gus.get("/me").status_code == 401


def test_a_code_is_good_once_for_72_hours_with_the_address_it_was_made_for(
    cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    code = invited(cast)["code"]
    assert enrol(client, code, "somebody@home.example").status_code == 401
    assert enrol(client, code, proof="red gate").status_code == 401
    assert enrol(client, code, "GUS@home.example").status_code == 201
    assert enrol(client, code).status_code == 401
    cast.ana.post("/me/caregivers", {**GUS, "email": "ivy@home.example", "scopes": ["log"]})
    late = mailed_code(client)
    clock.forward(hours=72, seconds=1)
    assert enrol(client, late, "ivy@home.example").status_code == 401


def test_a_word_is_made_where_the_patient_chose_none_and_five_wrong_ones_end_the_code(
    cast: Cast, client: FlaskClient
) -> None:
    agree(cast, Purpose.CAREGIVER)
    body = {name: said for name, said in GUS.items() if name != "word"}
    made = cast.ana.post("/me/caregivers", {**body, "scopes": ["log"]}).json
    assert len(made["word"]) == 6
    code = mailed_code(client)
    for _ in range(5):
        assert enrol(client, code, proof="000000 or so").status_code == 401
    assert enrol(client, code, proof=made["word"]).status_code == 401


def test_neither_the_care_team_nor_the_admin_sees_or_ends_a_caregivers_invitation_or_account(
    cast: Cast, client: FlaskClient, database: Database
) -> None:
    code = invited(cast)["code"]
    with database.read() as session:
        invitation_id = session.scalars(select(Invitation.id)).one()
    for who, where in ((cast.admin, "/clinic"), (cast.bo, f"/patients/{cast.ana.patient_id}")):
        assert who.get(f"{where}/invitations").json["items"] == []
        assert who.delete(f"{where}/invitations/{invitation_id}").status_code == 404
    assert enrol(client, code).status_code == 201
    assert "Gus" not in cast.admin.get("/clinic/accounts").text


def test_a_new_invitation_of_the_patient_leaves_those_of_caregivers_alone(
    cast: Cast, client: FlaskClient
) -> None:
    code = invited(cast)["code"]
    again = {"email": "ana@home.example", "word": "blue kettle"}
    assert cast.bo.post(f"/patients/{cast.ana.patient_id}/invitations", again).status_code == 201
    assert enrol(client, code).status_code == 201


def test_a_caregiver_needs_no_second_factor_where_staff_do(cast: Cast, client: FlaskClient, app: Any) -> None:
    around = app.extensions[EXTENSION]
    strict = replace(around.settings, staff_second_factor="required")
    app.extensions[EXTENSION] = replace(around, settings=strict)
    code = invited(cast)["code"]
    assert enrol(client, code).json["awaits_factor"] is False


def test_a_code_taken_back_or_left_without_consent_is_good_for_nothing(
    cast: Cast, client: FlaskClient
) -> None:
    one = invited(cast)
    assert cast.ana.delete(f"/me/caregivers/{one['id']}").status_code == 204
    assert enrol(client, one["code"]).status_code == 401
    assert cast.ana.post("/me/caregivers", {**GUS, "scopes": ["log"]}).status_code == 201
    other = mailed_code(client)
    withdraw(cast, Purpose.CAREGIVER)
    assert enrol(client, other).status_code == 401


def test_an_admin_can_invite_no_caregiver(cast: Cast) -> None:
    body = {"role": "caregiver", "name": "Gus", "email": GUS["email"]}
    assert cast.admin.post("/clinic/invitations", body).status_code == 422


@pytest.mark.parametrize(
    ("scopes", "open_ways"),
    [(["log"], {"entries"}), (["read_trend"], {"trend"}), (["read_journal"], {"timeline"}), ([], set())],
)
def test_a_caregiver_does_what_was_allowed_and_nothing_else(
    cast: Cast, clock: Clock, scopes: list[str], open_ways: set[str]
) -> None:
    gus = caregiver(cast, scopes)
    ways = {
        "trend": gus.get(path(cast, "trend")),
        "timeline": gus.get(path(cast, "timeline")),
        "entries": gus.put(path(cast, f"entries/{uuid7()}"), entry(clock.now)),
    }
    assert {name for name, answer in ways.items() if answer.status_code < 300} == open_ways
    refused = [answer for name, answer in ways.items() if name not in open_ways]
    assert {(answer.status_code, answer.json["code"]) for answer in refused} <= {(403, "out-of-scope")}


def test_scopes_change_at_once(cast: Cast) -> None:
    gus = caregiver(cast, ["read_trend"])
    (row,) = cast.ana.get("/me/caregivers").json["items"]
    changed = cast.ana.patch(f"/me/caregivers/{row['id']}", {"scopes": ["read_journal"]})
    assert changed.json["scopes"] == ["read_journal"]
    assert gus.get(path(cast, "trend")).status_code == 403
    assert gus.get(path(cast, "timeline")).status_code == 200


def test_the_end_is_at_once_and_again_is_harmless(cast: Cast) -> None:
    gus = caregiver(cast)
    (row,) = cast.ana.get("/me/caregivers").json["items"]
    for _ in range(2):
        assert cast.ana.delete(f"/me/caregivers/{row['id']}").status_code == 204
    assert gus.get(path(cast, "trend")).status_code == 401, "the account goes with the last one"
    assert cast.ana.patch(f"/me/caregivers/{row['id']}", {"scopes": ["log"]}).status_code == 404
    (ended,) = cast.ana.get("/me/caregivers").json["items"]
    assert ended["ended_at"] is not None, "who it was stays to be seen"


def test_a_caregiver_may_leave(cast: Cast) -> None:
    gus = caregiver(cast)
    assert gus.delete(f"/cared-for/{cast.ana.patient_id}").status_code == 204
    assert gus.get(path(cast, "trend")).status_code == 401


def test_a_material_text_rests_it_until_the_patient_has_agreed_anew(cast: Cast) -> None:
    gus = caregiver(cast)
    publish(cast, Purpose.CAREGIVER)
    assert gus.get(path(cast, "trend")).json["code"] == "consent-withdrawn"
    assert gus.get("/cared-for").json["items"] == []
    agree(cast, Purpose.CAREGIVER)
    assert gus.get(path(cast, "trend")).status_code == 200


def test_the_patient_sees_everything_a_caregiver_did_in_plain_words(cast: Cast, clock: Clock) -> None:
    gus = caregiver(cast)
    for days, call in enumerate(("trend", "timeline")):
        clock.now += timedelta(days=days)
        assert gus.get(path(cast, call)).status_code == 200
    gus.put(path(cast, f"entries/{uuid7()}"), entry(clock.now))
    (row,) = cast.ana.get("/me/caregivers").json["items"]
    assert (row["name"], row["relation"], row["seen_at"]) == ("Gus", "partner", clock.now.isoformat())
    found = cast.ana.get(f"/me/caregivers/{row['id']}/deeds?limit=3").json
    assert [one["sentence"] for one in found["items"]] == [
        "Gus made an entry for you.",
        "Gus read your days, without notes and tags.",
        "Gus looked at your trend.",
    ]
    rest = cast.ana.get(f"/me/caregivers/{row['id']}/deeds?cursor={found['next_cursor']}").json
    assert [one["sentence"] for one in rest["items"]] == ["Gus accepted your invitation."]
    for who in (cast.bo, cast.admin, gus):
        assert who.get(f"/me/caregivers/{row['id']}/deeds").status_code == 403
    assert cast.other_patient.get(f"/me/caregivers/{row['id']}/deeds").status_code == 404


def test_an_entry_of_a_caregiver_is_marked_whatever_it_says_of_itself_and_is_sent_twice_in_peace(
    cast: Cast, clock: Clock, database: Database
) -> None:
    gus = caregiver(cast)
    entry_id = uuid7()
    said = entry(clock.now, entered_by="patient")
    answers = [gus.put(path(cast, f"entries/{entry_id}"), said) for _ in range(2)]
    assert [(one.status_code, one.json["outcome"]) for one in answers] == [
        (201, "created"),
        (200, "duplicate"),
    ]
    assert cast.ana.get(f"/entries/{entry_id}").json["entered_by"] == "caregiver"


def test_a_caregiver_changes_nothing_that_is_there_and_is_not_shown_it(cast: Cast, clock: Clock) -> None:
    gus = caregiver(cast, ["log"])
    entry_id = uuid7()
    cast.ana.put(f"/entries/{entry_id}", entry(clock.now, note="For my team."))
    answer = gus.put(path(cast, f"entries/{entry_id}"), entry(clock.now, items={"mood": 9}))
    assert (answer.status_code, answer.json["code"]) == (409, "entry-known")
    assert "For my team" not in answer.text
    assert cast.ana.get(f"/entries/{entry_id}").json["version"] == 1


def test_a_danger_that_a_caregiver_reports_is_heeded_also_where_the_entry_is_refused(
    cast: Cast, clock: Clock
) -> None:
    gus = caregiver(cast, ["log"])
    bad = entry(clock.now, safety="plan", items={"mood": "low"})
    refused = gus.put(path(cast, f"entries/{uuid7()}"), bad)
    assert (refused.status_code, refused.json["notice"]["kind"]) == (422, "emergency")
    taken = gus.put(path(cast, f"entries/{uuid7()}"), entry(clock.now, safety="plan"))
    assert taken.json["notice"]["crisis_lines"]
    (alert,) = cast.bo.get("/alerts").json["items"]
    assert alert["urgency"] == "P0"


def test_who_looks_after_somebody_else_finds_nobody_and_raises_nothing(
    cast: Cast, clock: Clock, app: Any
) -> None:
    gus = caregiver(cast)
    jo = new_patient(app, cast.ana.clinic_id, "Jo", None)
    for patient_id in (jo.patient_id, cast.other_patient.patient_id, uuid7()):
        there = f"/cared-for/{patient_id}"
        assert gus.get(f"{there}/trend").status_code == 404
        assert gus.get(f"{there}/timeline").status_code == 404
        bad = entry(clock.now, safety="plan", items={"mood": "low"})
        assert gus.put(f"{there}/entries/{uuid7()}", bad).status_code == 404
    assert cast.bo.get("/alerts").json["items"] == []
    assert cast.cyd.get("/alerts").json["items"] == []


def test_the_timeline_of_a_caregiver_holds_nothing_in_own_words(cast: Cast, clock: Clock) -> None:
    gus = caregiver(cast)
    words = {"note": "canary of Ana", "tags": ["canary-tag"]}
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, circumstances=["travel"], **words))
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", filled(clock.now, "gad-7", each=1))
    answer = gus.get(path(cast, "timeline"))
    assert "canary" not in answer.text
    (day,) = answer.json["items"]
    (shown,) = day["entries"]
    assert (shown["items"]["mood"], shown["circumstances"]) == (7, ["travel"])
    assert not {"note", "tags", "side_effect_details"} & shown.keys()
    assert day["questionnaire_responses"][0]["total"] == 7


def test_substance_use_is_not_shown_to_a_caregiver_unless_the_patient_agreed(
    cast: Cast, clock: Clock
) -> None:
    gus = caregiver(cast)
    said = entry(clock.now, items={"mood": 5, "craving": 4}, side_effects={"non_prescribed_use": 1})
    cast.ana.put(f"/entries/{uuid7()}", said)
    drinks = filled(clock.now, "audit-c", answers={"q1": 1, "q2": 1, "q3": 1})
    assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", drinks).status_code == 201
    for way in ("trend", "timeline"):
        text = gus.get(path(cast, way)).text
        assert not [word for word in ("craving", "non_prescribed", "audit-c") if word in text]
    agree(cast, Purpose.SUBSTANCE_USE)
    assert "craving" in gus.get(path(cast, "trend")).text
    assert "non_prescribed_use" in gus.get(path(cast, "timeline")).text


def test_one_account_looks_after_several_patients_of_a_clinic(
    cast: Cast, client: FlaskClient, clock: Clock, app: Any
) -> None:
    kim = {"role": "clinician", "name": "Kim", "email": GUS["email"], "word": WORD}
    staff = cast.admin.post("/clinic/invitations", kim).json["code"]
    gus = caregiver(cast)
    jo = new_patient(app, cast.ana.clinic_id, "Jo", None)
    jo.post("/me/consents/caregiver", {"given": True, "version": 1})
    assert jo.post("/me/caregivers", {**GUS, "scopes": ["read_trend"]}).status_code == 201
    code = mailed_code(client)
    assert enrol(client, code).status_code == 401, "there is such an account, which is not said"
    good = {"code": code, "proof": WORD}
    wrong = gus.post("/cared-for", {**good, "proof": "red gate"})
    assert (wrong.status_code, wrong.json["code"]) == (401, "does-not-fit")
    joined = gus.post("/cared-for", good)
    assert [one["name"] for one in joined.json["items"]] == ["Ana", "Jo"]
    assert gus.post("/cared-for", good).status_code == 401
    assert gus.post("/cared-for", {"code": staff, "proof": WORD}).status_code == 401
    assert gus.get(f"/cared-for/{jo.patient_id}/trend").status_code == 200
    assert gus.delete(f"/cared-for/{cast.ana.patient_id}").status_code == 204
    assert gus.get(f"/cared-for/{jo.patient_id}/trend").status_code == 200, "one is left"


def test_a_patient_learns_of_no_address_whether_it_is_known_and_gets_no_code(
    cast: Cast, client: FlaskClient
) -> None:
    agree(cast, Purpose.CAREGIVER)
    told = []
    for address in ("bo@clinic.example", "nobody@home.example"):
        answer = cast.ana.post("/me/caregivers", {**GUS, "email": address, "scopes": ["log"]})
        assert "code" not in answer.json
        assert mailed_code(client) not in answer.text
        told.append((answer.status_code, answer.json.keys()))
        came_in = enrol(client, mailed_code(client), address)
        assert came_in.status_code == (401 if address.startswith("bo") else 201)
        assert came_in.status_code == 201 or came_in.text == enrol(client, "no such code").text
    assert told[0] == told[1]


def test_a_caregivers_account_goes_with_the_last_who_lets_them_and_frees_its_address(
    cast: Cast, client: FlaskClient, database: Database
) -> None:
    caregiver(cast)
    (row,) = cast.ana.get("/me/caregivers").json["items"]
    cast.ana.delete(f"/me/caregivers/{row['id']}")
    with database.read() as session:
        gone = session.scalars(select(Account).where(Account.role == Role.CAREGIVER)).one()
        assert (gone.name, gone.sealed_email, gone.plain_email, gone.email_index) == ("", None, None, None)
    staff = {"role": "clinician", "name": "Gus", "email": GUS["email"], "word": WORD}
    assert enrol(client, cast.admin.post("/clinic/invitations", staff).json["code"]).status_code == 201


def test_a_taken_back_invitation_is_not_mailed(cast: Cast, database: Database, clock: Clock) -> None:
    one = invited(cast)
    cast.ana.delete(f"/me/caregivers/{one['id']}")
    with database.write(Extent.ALL) as session:
        assert outbox.claim(session, clock.now, 10, timedelta(minutes=1)) == []


def test_a_caregiver_signs_in_like_anybody_and_is_told_of_no_alert(
    cast: Cast, client: FlaskClient, clock: Clock, database: Database
) -> None:
    gus: Person = caregiver(cast)
    assert gus.get("/me").json["role"] == "caregiver"
    assert gus.get("/me").json["patient_id"] is None
    assert sign_in(client, "demo", "gus@home.example")["access_token"]
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="plan"))
    (alert,) = cast.bo.get("/alerts").json["items"]
    told = cast.bo.get(f"/alerts/{alert['id']}").json["deliveries"]
    assert "Gus" not in {one["account"] for one in told}
    with database.read() as session:
        account_id = session.scalars(select(Caregiver.account_id)).one()
        assert session.scalars(select(Entry.entered_by)).all() == ["patient"]
    assert (
        cast.admin.post(
            "/clinic/webhooks", {"url": "https://hooks.example/a", "account_id": str(account_id)}
        ).status_code
        == 422
    )
