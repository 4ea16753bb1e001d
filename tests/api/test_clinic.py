"""The clinic and its staff on the wire."""

import pytest

from tests.cast import Cast


def test_staff_read_their_clinic_and_only_the_admin_changes_it(cast: Cast) -> None:
    assert cast.bo.get("/clinic").json["slug"] == "demo"
    assert cast.cyd.get("/clinic").json["slug"] == "elsewhere"
    changed = cast.admin.patch("/clinic", {"name": "New name", "asks_safety_question": False})
    assert (changed.status_code, changed.json["name"]) == (200, "New name")
    assert cast.bo.get("/clinic").json["asks_safety_question"] is False
    for person in (cast.bo, cast.coordinator, cast.scheduler, cast.ana):
        assert person.patch("/clinic", {"name": "Mine"}).status_code == 403


def test_patients_and_the_scheduling_system_do_not_read_the_clinics_settings(cast: Cast) -> None:
    assert cast.ana.get("/clinic").status_code == 403
    assert cast.scheduler.get("/clinic").status_code == 403


@pytest.mark.parametrize("role", ["clinician", "coordinator", "clinic_admin", "integration"])
def test_the_admin_invites_every_kind_of_staff(cast: Cast, role: str) -> None:
    answer = cast.admin.post("/clinic/invitations", {"role": role, "name": "Gus"})
    assert (answer.status_code, answer.json["expires_at"]) == (201, "2026-03-05T12:00:00+00:00")


def test_a_patient_is_not_invited_without_a_record(cast: Cast) -> None:
    answer = cast.admin.post("/clinic/invitations", {"role": "patient", "name": "Ana"})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/role")


def test_only_the_admin_invites_staff(cast: Cast) -> None:
    for person in (cast.bo, cast.coordinator, cast.scheduler, cast.ana):
        answer = person.post("/clinic/invitations", {"role": "clinic_admin", "name": "Gus"})
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
