"""The clinic and its staff on the wire."""

import pytest

from jobs import deliver
from jobs.around import Around
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import RecordingGateway
from server.settings import Settings
from tests.api.test_entry import new_id
from tests.cast import Cast, entry
from tests.conftest import Clock

GUS = {"name": "Gus", "email": "gus@clinic.example"}


def test_staff_read_their_clinic_and_only_the_admin_changes_it(cast: Cast) -> None:
    assert cast.bo.get("/clinic").json["slug"] == "demo"
    assert cast.cyd.get("/clinic").json["slug"] == "elsewhere"
    changed = cast.admin.patch("/clinic", {"name": "New name", "asks_safety_question": False})
    assert (changed.status_code, changed.json["name"]) == (200, "New name")
    assert cast.bo.get("/clinic").json["asks_safety_question"] is False
    for person in (cast.bo, cast.coordinator, cast.scheduler, cast.ana):
        assert person.patch("/clinic", {"name": "Mine"}).status_code == 403


def test_the_admin_sets_the_hour_at_which_days_start_and_no_entry_moves(cast: Cast, clock: Clock) -> None:
    at_one = clock.now.replace(day=1, hour=0)  # 01:00 in Oslo
    path, body = f"/entries/{new_id()}", entry(at_one)
    assert cast.ana.put(path, body).json["entry"]["local_day"] == "2026-02-28"
    assert cast.admin.patch("/clinic", {"day_start": 0}).json["day_start"] == 0
    today = cast.ana.get("/me/today").json
    assert (today["local_day"], today["day_ends_at"]) == ("2026-03-02", "2026-03-02T23:00:00+00:00")
    exported = cast.ana.get("/me/export").json["entries"][0]["revisions"][0]
    assert exported["local_day"] == "2026-02-28"
    late = cast.ana.put(f"/entries/{new_id()}", entry(at_one)).json["entry"]["local_day"]
    same = cast.ana.put(path, entry(at_one, note="as it was"), version=1).json["entry"]["local_day"]
    moved = cast.ana.put(path, entry(at_one.replace(minute=5)), version=2).json["entry"]["local_day"]
    assert (late, same, moved) == ("2026-03-01", "2026-02-28", "2026-03-01")


@pytest.mark.parametrize("hour", [-1, 7, 4.5, "4"])
def test_days_start_at_a_whole_hour_of_the_night(cast: Cast, hour: object) -> None:
    refused = cast.admin.patch("/clinic", {"day_start": hour})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/day_start")


def test_messages_are_written_in_the_clinics_language(
    cast: Cast, clock: Clock, database: Database, settings: Settings
) -> None:
    assert cast.admin.patch("/clinic", {"language": "nb"}).json["language"] == "nb"
    cast.ana.put(f"/entries/{new_id()}", entry(clock.now, safety="often"))
    email = RecordingGateway()
    deliver.run(Around(database, settings, {Channel.EMAIL: email}), clock.now)
    assert [message.subject for message in email.sent] == ["En pasient trenger gjennomgang"]
    assert cast.admin.patch("/clinic", {"language": "xx"}).status_code == 422


def test_patients_and_the_scheduling_system_do_not_read_the_clinics_settings(cast: Cast) -> None:
    assert cast.ana.get("/clinic").status_code == 403
    assert cast.scheduler.get("/clinic").status_code == 403


@pytest.mark.parametrize("role", ["clinician", "coordinator", "clinic_admin", "integration"])
def test_the_admin_invites_every_kind_of_staff(cast: Cast, role: str) -> None:
    answer = cast.admin.post("/clinic/invitations", GUS | {"role": role})
    assert (answer.status_code, answer.json["expires_at"]) == (201, "2026-03-05T12:00:00+00:00")


def test_a_patient_is_not_invited_without_a_record(cast: Cast) -> None:
    answer = cast.admin.post("/clinic/invitations", GUS | {"role": "patient"})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/role")


def test_only_the_admin_invites_staff(cast: Cast) -> None:
    for person in (cast.bo, cast.coordinator, cast.scheduler, cast.ana):
        answer = person.post("/clinic/invitations", GUS | {"role": "clinic_admin"})
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"country": "Norway"}, "/country"),
        ({"country": "no"}, "/country"),
        ({"country": "NO\n"}, "/country"),
        ({"zone": "Mars/Base"}, "/zone"),
        ({"name": ""}, "/name"),
        ({"asks_safety_question": "no"}, "/asks_safety_question"),
        ({"slug": "mine"}, "/slug"),
    ],
)
def test_a_change_that_can_not_be_taken_is_named(cast: Cast, change: dict[str, str], pointer: str) -> None:
    answer = cast.admin.patch("/clinic", change)
    assert (answer.status_code, [e["pointer"] for e in answer.json["errors"]]) == (422, [pointer])
