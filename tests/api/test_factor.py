"""A second factor: how it is added, what it opens, and that there is no way round it."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from server.api.edge import EXTENSION, Surroundings
from server.database import Database
from server.models import Delivery, Factor, RecoveryCode
from server.services.people import totp
from server.services.people.passkey import RelyingParty
from server.services.people.second_factor import Proof
from server.services.people.sign_in import Credentials, Device, find_account, locked
from server.services.people.sign_in_step import Arrival, with_ticket
from tests.authenticator import Authenticator
from tests.cast import PASSWORD, Cast, Person, as_work
from tests.conftest import Clock
from tests.test_concurrency import at_once

BO = {"clinic": "demo", "email": "bo@clinic.example", "password": PASSWORD}
STEP = timedelta(seconds=30)


@pytest.fixture
def strict(app: Flask, cast: Cast) -> Flask:
    """The application as in production: staff need a second factor. The cast was signed in before."""
    around = Surroundings.of(app)
    settings = replace(around.settings, staff_second_factor="required")
    app.extensions[EXTENSION] = replace(around, settings=settings)
    return app


@dataclass
class Bo:
    """Bo at a browser, with what his devices know."""

    client: FlaskClient
    clock: Clock
    token: str = ""
    secret: str = ""
    codes: tuple[str, ...] = ()

    def send(self, method: str, path: str, body: Any = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.open(f"/v1{path}", method=method, json=body, headers=headers)

    def post(self, path: str, body: Any = None) -> TestResponse:
        return self.send("POST", path, body)

    def signs_in(self, **more: Any) -> TestResponse:
        answer = self.client.post("/v1/sign-ins", json={**BO, **more})
        self.token = answer.json.get("access_token", self.token)
        return answer

    def code(self, steps: int = 0) -> str:
        return totp.code_at(self.secret, self.clock.now + steps * STEP)

    def adds_totp(self) -> TestResponse:
        made = self.post("/me/factors/totp", {"name": "telephone"}).json
        self.secret = made["secret"]
        answer = self.post(f"/me/factors/totp/{made['id']}/confirm", {"totp": self.code()})
        self.codes = tuple(answer.json["recovery_codes"] or ())
        self.clock.forward(seconds=30)
        return answer

    def adds_passkey(self, key: Authenticator) -> TestResponse:
        asked = self.post("/me/factors/passkeys/options").json
        made = key.make(asked["options"])
        return self.post(
            "/me/factors/passkeys", {"ticket": asked["ticket"], "name": "laptop", "credential": made}
        )


@pytest.fixture
def bo(strict: Flask, cast: Cast, clock: Clock) -> Bo:
    """Bo, who has a password and nothing else."""
    return Bo(strict.test_client(), clock)


@pytest.fixture
def safe_bo(bo: Bo) -> Bo:
    """Bo, whose telephone shows codes."""
    bo.signs_in()
    assert bo.adds_totp().status_code == 200
    return bo


# Enrolling a factor


def test_staff_who_have_no_factor_can_do_nothing_but_add_one(bo: Bo) -> None:
    assert bo.signs_in().json["awaits_factor"] is True
    closed = bo.send("GET", "/patients")
    assert (closed.status_code, closed.json["code"]) == (403, "second-factor-missing")
    for method, path in (("POST", "/me/recovery-codes"), ("GET", "/me/sign-ins"), ("GET", "/alerts")):
        assert bo.send(method, path).status_code == 403, path
    assert bo.send("GET", "/me").status_code == 200
    added = bo.adds_totp()
    assert len(set(added.json["recovery_codes"])) == 10
    assert bo.send("GET", "/patients").status_code == 200


def test_only_these_routes_are_open_before_there_is_a_factor(strict: Flask) -> None:
    views = {rule.rule: strict.view_functions[rule.endpoint] for rule in strict.url_map.iter_rules()}
    docs = {rule: getattr(view, "_apidoc", {}).get("manual_doc", {}) for rule, view in views.items()}
    assert {rule for rule, doc in docs.items() if doc.get("x-before-second-factor")} == {
        "/v1/me",
        "/v1/me/factors",
        "/v1/me/factors/passkeys",
        "/v1/me/factors/passkeys/options",
        "/v1/me/factors/totp",
        "/v1/me/factors/totp/<uuid:factor_id>/confirm",
        "/v1/sign-ins/current",
        "/v1/sign-ins/step-up",
    }


def test_a_patient_and_a_system_sign_in_without_a_factor(strict: Flask, cast: Cast) -> None:
    for email in ("ana@home.example", "scheduling@clinic.example"):
        answer = strict.test_client().post("/v1/sign-ins", json={**BO, "email": email})
        assert (answer.status_code, answer.json["awaits_factor"]) == (201, False)
    for person in (cast.ana, cast.scheduler):
        assert person.post("/me/factors/totp", {"name": "x"}).status_code == 403


def test_a_wrong_first_code_adds_nothing(bo: Bo) -> None:
    bo.signs_in()
    made = bo.post("/me/factors/totp", {"name": "telephone"}).json
    assert bo.post(f"/me/factors/totp/{made['id']}/confirm", {"totp": "000000"}).status_code == 422
    assert bo.send("GET", "/patients").status_code == 403


def test_who_only_knows_the_password_cant_add_a_factor_beside_the_owners(bo: Bo, strict: Flask) -> None:
    thief = Bo(strict.test_client(), bo.clock)
    thief.signs_in()
    begun = thief.post("/me/factors/totp", {"name": "mine"}).json
    asked = thief.post("/me/factors/passkeys/options").json
    bo.signs_in()
    assert bo.adds_totp().status_code == 200
    code = totp.code_at(begun["secret"], bo.clock.now)
    assert thief.post(f"/me/factors/totp/{begun['id']}/confirm", {"totp": code}).status_code == 401
    made = Authenticator().make(asked["options"])
    body = {"ticket": asked["ticket"], "name": "mine", "credential": made}
    assert thief.post("/me/factors/passkeys", body).status_code == 401
    assert thief.send("GET", "/me").status_code == 401, "a sign-in that still waited ends"


def test_two_first_factors_at_once_have_one_winner(bo: Bo, strict: Flask) -> None:
    people = [Bo(strict.test_client(), bo.clock) for _ in range(2)]
    for one in people:
        one.signs_in()
    made = [one.post("/me/factors/totp", {"name": "telephone"}).json for one in people]

    def confirm(number: int) -> int:
        code = totp.code_at(made[number]["secret"], bo.clock.now)
        return (
            people[number].post(f"/me/factors/totp/{made[number]['id']}/confirm", {"totp": code}).status_code
        )

    statuses = sorted(at_once([lambda n=n: confirm(n) for n in range(2)]))
    assert statuses[0] == 200
    assert statuses[1] in (401, 409)


# Signing in with it


def test_a_password_alone_is_asked_for_the_factor(safe_bo: Bo) -> None:
    answer = safe_bo.signs_in()
    assert (answer.status_code, answer.json["code"]) == (401, "second-factor-required")
    assert answer.json["ways"] == ["totp", "recovery_code"]
    assert "access_token" not in answer.json
    body = {"ticket": answer.json["ticket"], "totp": safe_bo.code()}
    done = safe_bo.client.post("/v1/sign-ins/second-factor", json=body)
    assert (done.status_code, done.json["awaits_factor"]) == (201, False)
    assert safe_bo.client.post("/v1/sign-ins/second-factor", json=body).status_code == 401


def test_a_ticket_is_good_for_five_minutes(safe_bo: Bo) -> None:
    ticket = safe_bo.signs_in().json["ticket"]
    said = []
    for code, minutes in (("000000", 5), (safe_bo.code(), 0)):
        body = {"ticket": ticket, "totp": code}
        said.append(safe_bo.client.post("/v1/sign-ins/second-factor", json=body).json)
        safe_bo.clock.forward(minutes=minutes)
    assert [(one["status"], one["code"]) for one in said] == [(401, "does-not-fit"), (401, "not-signed-in")]
    assert said[1]["detail"].endswith("Start again."), "no code would do any more"


def test_a_code_is_taken_once_and_none_before_it(safe_bo: Bo) -> None:
    assert safe_bo.signs_in(totp=safe_bo.code()).status_code == 201
    assert safe_bo.signs_in(totp=safe_bo.code()).status_code == 401
    assert safe_bo.signs_in(totp=safe_bo.code(-1)).status_code == 401
    safe_bo.clock.forward(seconds=30)
    assert safe_bo.signs_in(totp=safe_bo.code()).status_code == 201


def test_a_clock_may_be_one_step_off_and_not_two(safe_bo: Bo) -> None:
    safe_bo.clock.forward(minutes=5)
    wrong = [safe_bo.signs_in(totp=safe_bo.code(steps)).status_code for steps in (-2, 2)]
    right = [safe_bo.signs_in(totp=safe_bo.code(steps)).status_code for steps in (-1, 0, 1)]
    assert (wrong, right) == ([401, 401], [201, 201, 201])


def test_two_halves_of_two_sign_ins_do_not_wait_for_each_other_in_a_circle(
    safe_bo: Bo, strict: Flask, cast: Cast, database: Database
) -> None:
    """One has looked at the password and holds the account; the other one has used the code up."""
    if database.is_sqlite:
        pytest.skip("one writer at a time")
    ticket = safe_bo.signs_in().json["ticket"]
    around = Surroundings.of(strict)
    with database.read() as session:
        known = find_account(session, Credentials(**BO), around.passwords)
        session.expunge(known)
    with database.write() as first, database.write() as second:
        second.execute(text("SET LOCAL lock_timeout = 300"))
        locked(as_work(strict, cast.bo, first), known)
        proof = Proof(RelyingParty("", ""), totp=safe_bo.code())
        arrival = Arrival(Device(timedelta(days=1)), proof, factor_required=True)
        assert with_ticket(second, safe_bo.clock.now, ticket, arrival) is not None


def test_one_code_used_by_six_at_once_signs_in_once(safe_bo: Bo, strict: Flask) -> None:
    code = safe_bo.code()

    def sign_in() -> int:
        return strict.test_client().post("/v1/sign-ins", json={**BO, "totp": code}).status_code

    assert sorted(at_once([sign_in] * 6)) == [201, *[401] * 5]


def test_after_six_wrong_codes_there_is_a_pause_that_only_who_has_the_password_can_cause(
    safe_bo: Bo,
) -> None:
    stranger = {**BO, "password": "not the password", "totp": "000000"}
    for _ in range(5):
        assert safe_bo.client.post("/v1/sign-ins", json=stranger).status_code == 401
    wrong = [safe_bo.signs_in(totp="000000").status_code for _ in range(8)]
    assert wrong == [401] * 6 + [429] * 2
    paused = safe_bo.signs_in(totp=safe_bo.code())
    assert (paused.status_code, int(paused.headers["Retry-After"])) == (429, 30)
    safe_bo.clock.forward(seconds=30)
    assert safe_bo.signs_in(totp=safe_bo.code()).status_code == 201


def test_a_recovery_code_stands_in_once(safe_bo: Bo, strict: Flask) -> None:
    code = safe_bo.codes[3]
    assert safe_bo.signs_in(recovery_code=code.upper().replace("-", " ")).status_code == 201
    assert safe_bo.signs_in(recovery_code=code).status_code == 401
    assert safe_bo.send("GET", "/me/factors").json["recovery_codes_left"] == 9
    fresh = safe_bo.post("/me/recovery-codes").json["recovery_codes"]
    assert safe_bo.signs_in(recovery_code=safe_bo.codes[4]).status_code == 401
    assert safe_bo.signs_in(recovery_code=fresh[4]).status_code == 201
    with Surroundings.of(strict).database.read() as session:
        stored = " ".join(session.scalars(select(RecoveryCode.code_hash)))
    assert not any(one in stored for one in fresh)


def test_the_secret_of_an_authenticator_lies_sealed_in_the_database(safe_bo: Bo, strict: Flask) -> None:
    with Surroundings.of(strict).database.read() as session:
        rows = [str(vars(row)) for row in session.scalars(select(Factor))]
    assert not any(safe_bo.secret in row or "telephone" in row for row in rows)


def test_its_owner_is_told_of_every_change(safe_bo: Bo, strict: Flask) -> None:
    factor = safe_bo.send("GET", "/me/factors").json["items"][0]["id"]
    assert safe_bo.adds_passkey(Authenticator()).status_code == 201
    assert safe_bo.send("DELETE", f"/me/factors/{factor}").status_code == 204
    with Surroundings.of(strict).database.read() as session:
        told = session.execute(select(Delivery.template, Delivery.subject)).all()
    assert [row.template for row in told] == ["sign_in_changed"] * 3


def test_the_last_factor_stays(safe_bo: Bo) -> None:
    factor = safe_bo.send("GET", "/me/factors").json["items"][0]["id"]
    answer = safe_bo.send("DELETE", f"/me/factors/{factor}")
    assert (answer.status_code, answer.json["code"]) == (409, "last-factor")


def test_nobody_elses_factor_can_be_touched(safe_bo: Bo, cast: Cast) -> None:
    factor = safe_bo.send("GET", "/me/factors").json["items"][0]["id"]
    waiting = safe_bo.post("/me/factors/totp", {"name": "second"}).json["id"]
    for other in (cast.admin, cast.cyd):
        assert other.delete(f"/me/factors/{factor}").status_code == 404
        assert other.post(f"/me/factors/totp/{waiting}/confirm", {"totp": "000000"}).status_code == 404
        assert other.get("/me/factors").json == {"items": [], "recovery_codes_left": 0}


# Passkeys


@pytest.fixture
def key() -> Authenticator:
    """Bo's laptop."""
    return Authenticator()


@pytest.fixture
def keyed_bo(bo: Bo, key: Authenticator) -> Bo:
    """Bo, who has a passkey and nothing else."""
    bo.signs_in()
    assert bo.adds_passkey(key).status_code == 201
    return bo


def proved(bo: Bo, key: Authenticator, **bent: Any) -> int:
    """Return what comes of signing in with ``key``."""
    asked = bo.signs_in().json
    body = {"ticket": asked["ticket"], "passkey": key.sign(asked["passkey"], **bent)}
    return bo.client.post("/v1/sign-ins/second-factor", json=body).status_code


def test_somebody_who_works_at_two_clinics_can_tell_their_factors_apart(bo: Bo) -> None:
    """One address at both, and one host: by which clinic it is alone."""
    bo.signs_in()
    user = bo.post("/me/factors/passkeys/options").json["options"]["user"]
    assert user["name"] == "bo@clinic.example (Demo)"
    assert "Afterglow%20Demo" in bo.post("/me/factors/totp", {"name": "telephone"}).json["address"]


def test_a_passkey_signs_in(keyed_bo: Bo, key: Authenticator) -> None:
    assert keyed_bo.signs_in().json["ways"] == ["passkey", "recovery_code"]
    assert [proved(keyed_bo, key) for _ in range(3)] == [201] * 3


def test_a_passkey_that_counts_back_was_copied(keyed_bo: Bo, key: Authenticator) -> None:
    copy = Authenticator(id=key.id, key=key.key, count=key.count)
    assert proved(keyed_bo, key) == 201
    assert proved(keyed_bo, copy) == 401
    key.count = 5
    assert proved(keyed_bo, key) == 201


def test_a_passkey_that_never_counts_is_taken_all_the_same(keyed_bo: Bo, key: Authenticator) -> None:
    for _ in range(2):
        key.count = -1
        assert proved(keyed_bo, key) == 201


@pytest.mark.long
def test_a_signature_for_another_page_site_challenge_or_key_opens_nothing(
    keyed_bo: Bo, key: Authenticator
) -> None:
    stranger = Authenticator(id=key.id)
    elsewhere = Authenticator(id=key.id, key=key.key, origin="https://afterglow.example.phish")
    assert proved(keyed_bo, stranger) == 401
    assert proved(keyed_bo, elsewhere) == 401
    for bent in ({"rp_id": "phish.example"}, {"challenge": "AAAA"}, {"type": "webauthn.create"}):
        assert proved(keyed_bo, key, **bent) == 401, bent
    assert proved(keyed_bo, Authenticator()) == 401
    key.count = 20
    keyed_bo.clock.forward(seconds=30)
    assert proved(keyed_bo, key) == 201


def test_an_answer_is_good_for_its_own_ticket_once(keyed_bo: Bo, key: Authenticator) -> None:
    first, second = (keyed_bo.signs_in().json for _ in range(2))
    signed = key.sign(first["passkey"])

    def send(ticket: str) -> int:
        body = {"ticket": ticket, "passkey": signed}
        return keyed_bo.client.post("/v1/sign-ins/second-factor", json=body).status_code

    assert [send(second["ticket"]), send(first["ticket"]), send(first["ticket"])] == [401, 201, 401]


@pytest.mark.parametrize(
    "bent", [{"rp_id": "phish.example"}, {"challenge": "AAAA"}, {"type": "webauthn.get"}]
)
def test_a_passkey_made_for_somebody_else_is_not_added(bo: Bo, bent: dict[str, str]) -> None:
    bo.signs_in()
    asked = bo.post("/me/factors/passkeys/options").json
    made = Authenticator().make(asked["options"], **bent)
    body = {"ticket": asked["ticket"], "name": "laptop", "credential": made}
    answer = bo.post("/me/factors/passkeys", body)
    assert answer.json["errors"][0]["pointer"] == "/credential"
    assert bo.send("GET", "/patients").status_code == 403


@pytest.mark.long
def test_rubbish_from_a_browser_is_no_proof_and_no_error_of_ours(keyed_bo: Bo, key: Authenticator) -> None:
    good = key.sign(keyed_bo.signs_in().json["passkey"])
    for part in ("clientDataJSON", "authenticatorData", "signature"):
        for rubbish in ("AAAA", "e30", "!", "x" * 500, "bnVsbA"):
            ticket = keyed_bo.signs_in().json["ticket"]
            bad = {**good, "response": {**good["response"], part: rubbish}}
            answer = keyed_bo.client.post(
                "/v1/sign-ins/second-factor", json={"ticket": ticket, "passkey": bad}
            )
            assert answer.status_code in (401, 429), (part, rubbish)


def test_an_account_with_both_may_use_either(safe_bo: Bo, key: Authenticator) -> None:
    added = safe_bo.adds_passkey(key)
    assert added.json["recovery_codes"] is None, "those of the first factor stay good"
    assert proved(safe_bo, key) == 201
    assert safe_bo.signs_in(totp=safe_bo.code()).status_code == 201


# Step-up


def test_what_is_worth_a_second_look_needs_a_factor_of_the_last_five_minutes(
    safe_bo: Bo, key: Authenticator
) -> None:
    assert safe_bo.adds_passkey(key).status_code == 201
    safe_bo.clock.forward(minutes=5, seconds=1)
    refused = safe_bo.post("/me/recovery-codes")
    assert (refused.status_code, refused.json["code"]) == (403, "step-up-required")
    assert safe_bo.post("/sign-ins/step-up", {"password": PASSWORD}).status_code == 401
    wrong = safe_bo.post("/sign-ins/step-up", {"totp": "000000"})
    assert (wrong.status_code, wrong.json["code"]) == (401, "does-not-fit")
    assert safe_bo.post("/me/recovery-codes").status_code == 403
    assert safe_bo.post("/sign-ins/step-up", {"totp": safe_bo.code()}).status_code == 204
    assert safe_bo.post("/me/recovery-codes").status_code == 201
    safe_bo.clock.forward(minutes=6)
    asked = safe_bo.post("/sign-ins/step-up/challenge").json
    body = {"ticket": asked["ticket"], "passkey": key.sign(asked["options"])}
    assert safe_bo.post("/sign-ins/step-up", body).status_code == 204
    assert safe_bo.post("/sign-ins/step-up", body).status_code == 401
    assert safe_bo.post("/me/recovery-codes").status_code == 201


def test_a_step_up_by_a_clock_that_was_ahead_is_none_once_it_is_right(cast: Cast, clock: Clock) -> None:
    clock.forward(days=1)
    assert cast.ana.post("/sign-ins/step-up", {"password": PASSWORD}).status_code == 204
    clock.forward(days=-1, minutes=30)
    refused = cast.ana.client.get("/v1/me/export", headers={"Authorization": f"Bearer {cast.ana.token}"})
    assert (refused.status_code, refused.json.get("code")) == (403, "step-up-required")


def test_a_step_up_is_of_one_sign_in_alone(cast: Cast, app: Flask, clock: Clock) -> None:
    clock.forward(minutes=6)
    other = app.test_client().post("/v1/sign-ins", json={**BO, "email": "ana@home.example"})
    assert other.status_code == 201
    headers = {"Authorization": f"Bearer {cast.ana.token}"}
    refused = cast.ana.client.get("/v1/me/export", headers=headers)
    assert refused.json["code"] == "step-up-required"
    assert cast.ana.get("/me/export").status_code == 200, "with her password"


def test_who_holds_an_old_token_invites_nobody_changes_no_clinic_and_takes_nothing_away(
    cast: Cast, clock: Clock, client: FlaskClient
) -> None:
    clock.forward(minutes=6)
    invited = {"role": "clinic_admin", "name": "Mallory", "email": "mallory@clinic.example"}
    scopes = f"/v1/clinic/accounts/{cast.scheduler.account_id}/scopes"
    everything = f"/fhir/R4/Patient/{cast.ana.patient_id}/$everything"
    asked: list[tuple[Person, str, str, Any]] = [
        (cast.admin, "POST", "/v1/clinic/invitations", invited),
        (cast.admin, "PATCH", "/v1/clinic", {"name": "Mine"}),
        (cast.admin, "PUT", scopes, {"scopes": []}),
        (cast.bo, "GET", everything, None),
        (cast.ana, "GET", everything, None),
    ]
    for who, method, path, body in asked:
        headers = {"Authorization": f"Bearer {who.token}"}
        answer = client.open(path, method=method, json=body, headers=headers)
        assert (answer.status_code, "step-up-required" in answer.text) == (403, True), path
