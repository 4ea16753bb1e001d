"""Nothing is shared after a no: every way out of the diary is listed in `sharing_paths.toml`, and tried."""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.cli import COMMANDS
from server.clinical.consent import OF_CHANNEL
from server.clinical.vocabulary import DeliverySubject, Purpose, ReplayState
from server.database import Database
from server.models import PolicyReplay, PolicyReplayPatient, QuestionnaireResponse
from server.services import vault
from server.services.messages.outbox_need import TO_PATIENTS
from server.services.work import Work, system
from tests.canary import operations
from tests.cast import Cast, Person, entry
from tests.conftest import NOON, Clock
from tests.consents import agree, caregiver, say, withdraw
from tests.scales import filled
from tests.source import ROOT
from tests.visits import Visits

PATHS: dict[str, Any] = tomllib.loads((ROOT / "tests" / "sharing_paths.toml").read_text("utf-8"))
SHARED: dict[str, list[str]] = {**PATHS["refused"], **PATHS["ended"], **PATHS["left_out"]}
NOTHING = {path for group in PATHS["nothing"] for path in group["paths"]}


def test_every_route_is_listed_once_with_the_consents_it_names_in_the_contract() -> None:
    named = {operation: said.get("x-consent", []) for operation, said in operations()}
    assert named.keys() - SHARED.keys() - NOTHING == set(), "new: is it a way out of the diary?"
    assert (SHARED.keys() | NOTHING) - named.keys() == set(), "these are gone"
    assert SHARED.keys() & NOTHING == set()
    assert {operation: said for operation, said in named.items() if said} == SHARED
    assert all(group["why"] for group in PATHS["nothing"])


def test_every_kind_of_message_is_listed_and_those_to_patients_ask_for_their_way() -> None:
    governed, others = PATHS["messages"], PATHS["messages_to_others"]
    assert {*governed, *others} == {*DeliverySubject}
    assert set(governed) == TO_PATIENTS
    assert all(ways == [*OF_CHANNEL.values()] for ways in governed.values())


def test_every_command_is_listed() -> None:
    assert {*PATHS["commands"], *PATHS["commands_that_share_nothing"]} == {*COMMANDS}


@dataclass(frozen=True)
class World:
    """Ana with a diary, a session, an alert that is closed and one that is open; who may call what."""

    cast: Cast
    gus: Person
    ids: dict[str, str]

    def call(self, operation: str) -> TestResponse:
        """Send ``operation`` as somebody who may."""
        method, path = operation.split(" ")
        headers = {"Authorization": f"Bearer {self._who(path).token}"}
        query = f"?patient=Patient/{self.ids['patient_id']}" if path.endswith(FHIR_SEARCHES) else ""
        body = BODIES.get(operation)
        if callable(body):
            body = body()
        ids = self.ids | ({"entry_id": str(uuid7())} if "/entries/" in path else {})
        client = self.cast.ana.client
        return client.open(path.format(**ids) + query, method=method.upper(), json=body, headers=headers)

    def _who(self, path: str) -> Person:
        if path.startswith("/v1/me"):
            return self.cast.ana
        return self.gus if "cared-for" in path else self.cast.bo


FHIR_SEARCHES = ("Observation", "Provenance", "QuestionnaireResponse", "DetectedIssue")
BODIES: dict[str, Any] = {
    "post /v1/me/caregivers": {
        "name": "Hal",
        "email": "hal@home.example",
        "relation": "friend",
        "scopes": ["log"],
    },
    "post /v1/me/exports": {"formats": ["json"]},
    "post /v1/patients/{patient_id}/exports": {"formats": ["json"], "reason": "x"},
}


@pytest.fixture
def world(cast: Cast, clock: Clock, visits: Visits, database: Database) -> World:
    """The diary and everything made of it."""
    course = visits.on_treatment()
    session = visits.session(course, clock.now - timedelta(days=1))
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, side_effects={"nausea": 2}))
    mine = str(uuid7())
    cast.ana.put(f"/questionnaire-responses/{mine}", filled(clock.now, "gad-7", each=1))
    visits.relapse()
    (alert,) = cast.bo.get("/alerts").json["items"]
    closing = {"outcome": "contacted", "note": "Called."}
    assert cast.bo.post(f"/alerts/{alert['id']}/resolve", closing, alert["version"]).status_code == 200
    fhir = f"/fhir/R4/Observation?patient=Patient/{cast.ana.patient_id}"
    found = cast.bo.client.get(fhir, headers={"Authorization": f"Bearer {cast.bo.token}"}).json["entry"]
    forms = cast.bo.client.get(
        fhir.replace("Observation", "QuestionnaireResponse"),
        headers={"Authorization": f"Bearer {cast.bo.token}"},
    ).json["entry"]
    BODIES["put /v1/cared-for/{patient_id}/entries/{entry_id}"] = entry(clock.now)
    BODIES["put /v1/patients/{patient_id}/questionnaire-responses/{response_id}"] = filled(
        clock.now, "gad-7", each=1
    )
    ids = {
        "patient_id": str(cast.ana.patient_id),
        "alert_id": alert["id"],
        "session_id": session["id"],
        "response_id": mine,
        "resource_id": found[0]["resource"]["id"],
        "form_id": forms[0]["resource"]["id"],
    }
    return World(cast, caregiver(cast), ids)


def shared() -> Iterator[tuple[str, Purpose]]:
    """Yield every route that is refused, with each consent it rests on."""
    return ((path, Purpose(one)) for path, purposes in PATHS["refused"].items() for one in purposes)


def code_of(answer: TestResponse) -> str:
    """Return the code of a refusal, in either form."""
    found = answer.json or {}
    if "issue" in found:
        return str(found["issue"][0]["details"]["coding"][0]["code"])
    return str(found.get("code"))


def at(world: World, operation: str) -> World:
    """Return the world with the id of a form where a form is asked for."""
    if "QuestionnaireResponse/{" in operation or "Provenance/{" in operation:
        return World(world.cast, world.gus, world.ids | {"resource_id": world.ids["form_id"]})
    return world


@pytest.mark.long
def test_every_way_is_open_before_a_no_and_shut_right_after_it(world: World, cast: Cast) -> None:
    for operation, purpose in shared():
        before = at(world, operation).call(operation)
        assert before.status_code < 300, f"{operation}: {before.text}"
        if purpose is Purpose.CAREGIVER:
            continue  # a no ends every caregiver: tried below
        withdraw(cast, purpose)
        after = at(world, operation).call(operation)
        assert (after.status_code, code_of(after)) == (403, "consent-withdrawn"), f"{operation}, {purpose}"
        assert after.json.get("purpose", purpose) == purpose
        say(cast.ana, purpose, True)


def test_a_no_ends_every_caregiver_and_a_yes_brings_none_back(world: World, cast: Cast) -> None:
    named = [path for path, purposes in PATHS["refused"].items() if purposes == ["caregiver"]]
    withdraw(cast, Purpose.CAREGIVER)
    for operation in named:
        status = 403 if operation == "post /v1/me/caregivers" else 401  # their account is gone
        assert world.call(operation).status_code == status, operation
    agree(cast, Purpose.CAREGIVER)
    assert {world.call(path).status_code for path in named if "cared-for" in path} == {401}


@pytest.mark.long
def test_a_no_ends_every_link_to_a_copy_and_a_yes_brings_none_back(world: World, cast: Cast) -> None:
    asked = {"formats": ["json", "csv", "fhir"]}
    theirs = f"/patients/{cast.ana.patient_id}/exports"
    for purpose, left in ((Purpose.EXPORT, {404}), (Purpose.CARE_TEAM, {200})):
        mine = cast.ana.post("/me/exports", asked).json["links"]
        of_team = cast.bo.post(theirs, {**asked, "reason": "x"}).json["links"]
        assert _followed(cast, mine) == _followed(cast, of_team) == {200}
        withdraw(cast, purpose)
        assert (_followed(cast, mine), _followed(cast, of_team)) == (left, {404}), purpose
        say(cast.ana, purpose, True)
        assert (_followed(cast, mine), _followed(cast, of_team)) == (left, {404}), purpose
    assert {*PATHS["ended"]} == {"get /v1/exports/{export_id}"}, "try the others too"


def _followed(cast: Cast, links: list[dict[str, str]]) -> set[int]:
    return {cast.ana.client.get(one["href"].partition("8000")[2]).status_code for one in links}


def test_what_is_left_out_of_lists_is_ana_alone(world: World, cast: Cast, database: Database) -> None:
    listed = "/alerts?state=resolved"
    assert len(cast.bo.get(listed).json["items"]) == 1
    (before,) = cast.bo.get("/booking-suggestions").json["items"]
    detail = f"/booking-suggestions/{before['id']}"
    assert [event["detail"] for event in cast.bo.get(detail).json["events"]] != [{}]
    replayed = f"/clinic/policy-replays/{a_replay_that_names(cast, database)}/patients"
    assert len(cast.bo.get(replayed).json["items"]) == 1
    withdraw(cast, Purpose.CARE_TEAM)
    assert cast.bo.get(replayed).json["items"] == []
    assert cast.bo.get(listed).json["items"] == []
    assert {event["detail"] == {} for event in cast.bo.get(detail).json["events"]} == {True}
    digest = cast.bo.get("/digests/current").json
    assert str(cast.ana.patient_id) not in json.dumps(digest)


def a_replay_that_names(cast: Cast, database: Database) -> UUID:
    """Keep a replay of a draft policy that would have alarmed on other days of Ana's; return its id."""
    replay_id = uuid7()
    key = {"clinic_id": cast.ana.clinic_id}
    with database.write() as session:
        work = Work(session, NOON, system(cast.ana.clinic_id))
        days = {"first": NOON.date(), "last": NOON.date(), "done": 1, "total": 1, "created_at": NOON}
        said = {"base_version": 1, "values": {}, "attempt": 1, "tries": 0}
        session.add(PolicyReplay(**key, id=replay_id, state=ReplayState.DONE, **days, **said))
        session.flush()
        row = PolicyReplayPatient(**key, replay_id=replay_id, patient_id=cast.ana.patient_id, differs=True)
        vault.put(work, row, "found", {"arms": {}})
        session.add(row)
    return replay_id


def test_the_teams_own_record_goes_on_and_the_patients_answers_are_safe_from_it(
    world: World, cast: Cast, clock: Clock, database: Database
) -> None:
    withdraw(cast, Purpose.CARE_TEAM)
    path = f"/patients/{cast.ana.patient_id}/questionnaire-responses"
    paper = cast.bo.put(f"{path}/{uuid7()}", filled(clock.now, "gad-7", each=2))
    assert paper.status_code == 201, "what the team itself typed in is its own"
    over = cast.bo.put(f"{path}/{world.ids['response_id']}", filled(clock.now, "gad-7", each=2), version=1)
    gone = cast.bo.delete(f"{path}/{world.ids['response_id']}", version=2)
    assert {(one.status_code, one.json["code"]) for one in (over, gone)} == {(403, "consent-withdrawn")}
    with database.read() as session:
        rows = session.scalars(select(QuestionnaireResponse.version)).all()
    assert rows == [1, 1]


def test_staff_of_another_clinic_learn_nothing_of_a_withdrawal(world: World, cast: Cast) -> None:
    withdraw(cast, Purpose.CARE_TEAM)
    for path in ("entries", "trend", "watch", "response-curve", "questionnaire-responses"):
        assert cast.cyd.get(f"/patients/{cast.ana.patient_id}/{path}").status_code == 404, path
    assert cast.cyd.get(f"/alerts/{world.ids['alert_id']}").status_code == 404
