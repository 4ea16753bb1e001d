"""Patients on the wire."""

from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient
from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.database import Database
from server.models import AuditEvent
from tests.cast import PASSWORD, Cast, Person, entry
from tests.conftest import Clock

HAL = {"name": "Hal", "zone": "America/New_York", "birth_year": 1971}


def test_bo_registers_a_patient_and_reads_it_back(cast: Cast) -> None:
    made = cast.bo.post("/patients", {**HAL, "clinician_id": str(cast.bo.account_id)})
    assert (made.status_code, made.headers["ETag"]) == (201, '"v1"')
    assert made.json == {
        "id": made.json["id"],
        **HAL,
        "country": "GB",
        "bipolar_risk": [],
        "clinician_id": str(cast.bo.account_id),
        "paused_until": None,
        "enrolled_at": None,
        "team_withdrawn_at": None,
        "version": 1,
    }
    assert cast.bo.get(f"/patients/{made.json['id']}").json == made.json


def test_ana_reads_herself_and_nobody_else(cast: Cast) -> None:
    assert cast.ana.get(f"/patients/{cast.ana.patient_id}").json["name"] == "Ana"
    other = cast.bo.post("/patients", HAL).json["id"]
    assert cast.ana.get(f"/patients/{other}").status_code == 404
    assert cast.ana.get("/patients").status_code == 403
    assert cast.ana.patch(f"/patients/{cast.ana.patient_id}", {"name": "A"}, version=1).status_code == 403


def test_cyd_finds_none_of_our_patients(cast: Cast) -> None:
    path = f"/patients/{cast.ana.patient_id}"
    nobodys = cast.cyd.get(f"/patients/{uuid4()}")
    changed, invited = (
        cast.cyd.patch(path, {"name": "x"}, 1),
        cast.cyd.post(f"{path}/invitations", {"email": "a@home.example"}),
    )
    for answer in (cast.cyd.get(path), changed, invited):
        assert (answer.status_code, answer.get_data()) == (404, nobodys.get_data())
    assert [p["name"] for p in cast.cyd.get("/patients").json["items"]] == ["Fay"]


def test_a_change_needs_the_version_it_changes(cast: Cast) -> None:
    path = f"/patients/{cast.ana.patient_id}"
    assert cast.bo.patch(path, {"name": "Anna"}).status_code == 428
    changed = cast.bo.patch(path, {"name": "Anna", "paused_until": "2026-04-01T00:00:00Z"}, version=1)
    assert (changed.status_code, changed.json["version"], changed.headers["ETag"]) == (200, 2, '"v2"')
    stale = cast.bo.patch(path, {"name": "Anja"}, version=1)
    assert (stale.status_code, stale.json["current"]["name"]) == (412, "Anna")


def test_only_a_clinician_of_the_clinic_can_be_responsible(cast: Cast) -> None:
    for stranger in (cast.cyd, cast.admin, cast.ana):
        answer = cast.bo.post("/patients", {**HAL, "clinician_id": str(stranger.account_id)})
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/clinician_id")


def test_nobody_is_given_to_a_clinician_who_has_left_and_who_was_theirs_can_be_changed(cast: Cast) -> None:
    left, path = str(cast.bo.account_id), f"/patients/{cast.ana.patient_id}"
    assert cast.admin.post(f"/clinic/accounts/{left}/disable").status_code == 204
    new = cast.coordinator.post("/patients", {**HAL, "clinician_id": left})
    assert (new.status_code, new.json["errors"][0]["pointer"]) == (422, "/clinician_id")
    same = cast.coordinator.patch(path, {"name": "Anna", "clinician_id": left}, version=1)
    assert (same.status_code, same.json["name"]) == (200, "Anna")
    assert cast.coordinator.patch(path, {"clinician_id": None}, version=2).status_code == 200
    back = cast.coordinator.patch(path, {"clinician_id": left}, version=3)
    assert (back.status_code, back.json["errors"][0]["pointer"]) == (422, "/clinician_id")


def test_patients_are_read_a_page_at_a_time(cast: Cast) -> None:
    for number in range(4):
        cast.bo.post("/patients", {**HAL, "name": f"P{number}"})
    names, cursor = [], ""
    while cursor is not None:
        page = cast.coordinator.get(f"/patients?limit=2{cursor and f'&cursor={cursor}'}").json
        names += [patient["name"] for patient in page["items"]]
        cursor = page["next_cursor"]
    assert names == ["Ana", "P0", "P1", "P2", "P3"]


def test_reading_a_patient_is_audited(cast: Cast, database: Database) -> None:
    cast.bo.get(f"/patients/{cast.ana.patient_id}")
    cast.bo.get(f"/patients/{cast.ana.patient_id}/entries")
    assert _audited(database, cast.bo) >= {"patient.read", "entry.list"}


def test_who_is_called_otherwise_now_is_so_wherever_it_says_who_acted(
    cast: Cast, client: FlaskClient, clock: Clock
) -> None:
    """Somebody may have had another name, or have been registered under somebody else's."""
    path = f"/patients/{cast.ana.patient_id}"
    assert cast.bo.patch(path, {"name": "Andrea"}, version=1).status_code == 200
    assert cast.ana.put(f"/entries/{uuid7()}", entry(clock.now)).status_code == 201
    assert cast.ana.get("/me").json["name"] == "Andrea"
    assert _names(cast, cast.ana.patient_id) == {"Andrea", "Bo"}
    hal = cast.bo.post("/patients", HAL).json["id"]
    invited = cast.bo.post(f"/patients/{hal}/invitations", {"email": "hal@home.example"}).json
    assert cast.bo.patch(f"/patients/{hal}", {"name": "Hanna"}, version=1).status_code == 200
    told = {"code": invited["code"], "email": "hal@home.example", "proof": "1971", "password": PASSWORD}
    assert client.post("/v1/enrolments", json=told).status_code == 201
    assert _names(cast, hal) == {"Hanna", "Bo"}, "the invitation is older"


def _names(cast: Cast, patient_id: Any) -> set[str]:
    found = cast.admin.get(f"/audit-events?patient_id={patient_id}&limit=200").json["items"]
    return {one["account_name"] for one in found} - {None}


def _audited(database: Database, person: Person) -> set[str]:
    with database.read() as session:
        found = session.scalars(select(AuditEvent.action).where(AuditEvent.account_id == person.account_id))
        return set(found)
