"""Break-glass: one patient, one hour, reading only, with a reason, and others are told."""

from typing import Any

from flask import Flask
from sqlalchemy import select, update

from jobs import escalate
from jobs.around import Around
from server.api.edge import Surroundings
from server.isolation import Extent
from server.models import AuditEvent, BreakGlass, Delivery, Patient
from server.services.messages import operations
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.conftest import around, email

__all__ = ["around", "email"]
REASON = {"reason": "Ana called, and nobody of the care team can be reached."}


def reads(cast: Cast, patient_id: Any) -> set[int]:
    """Return what an administrator gets where the care team reads a patient."""
    paths = ("", "/entries", "/trend", "/watch", "/courses", "/questionnaire-responses")
    return {cast.admin.get(f"/patients/{patient_id}{path}").status_code for path in paths}


def opens(cast: Cast) -> str:
    answer = cast.admin.post(f"/patients/{cast.ana.patient_id}/break-glass", REASON)
    assert (answer.status_code, answer.json["expires_at"]) == (201, "2026-03-02T13:00:00+00:00")
    return str(answer.json["id"])


def test_an_administrator_reads_no_patient_but_for_an_hour_after_breaking_the_glass(
    cast: Cast, clock: Clock
) -> None:
    assert reads(cast, cast.ana.patient_id) == {403}
    opens(cast)
    clock.forward(minutes=59, seconds=59)
    assert reads(cast, cast.ana.patient_id) == {200}
    clock.forward(seconds=1)
    assert reads(cast, cast.ana.patient_id) == {403}


def test_what_was_opened_by_a_clock_that_was_ahead_is_shut_once_it_is_right(cast: Cast, clock: Clock) -> None:
    clock.forward(days=7)
    path = f"/patients/{cast.ana.patient_id}"
    assert cast.admin.post(f"{path}/break-glass", REASON).status_code == 201
    clock.forward(minutes=-4)
    assert cast.admin.get(path).status_code == 200, "another machine, a little behind"
    clock.forward(days=-7)
    assert cast.admin.get(path).status_code == 403


def test_it_opens_one_patient_and_nothing_but_reading(cast: Cast) -> None:
    other = cast.bo.post("/patients", {"name": "Hal", "zone": "Europe/Oslo"}).json["id"]
    opens(cast)
    assert reads(cast, other) == {403}
    ana = f"/patients/{cast.ana.patient_id}"
    assert cast.admin.patch(ana, {"name": "Anna"}, version=1).status_code == 403
    assert cast.admin.post(f"{ana}/courses", {}).status_code == 403
    for path in ("/patients", "/alerts", "/booking-suggestions"):
        assert cast.admin.get(path).status_code == 403, path


def test_it_is_on_record_with_every_read_and_others_are_told_at_once(cast: Cast, app: Flask) -> None:
    opened = opens(cast)
    cast.admin.get(f"/patients/{cast.ana.patient_id}")
    with Surroundings.of(app).database.read() as session:
        events = select(AuditEvent.action).where(AuditEvent.account_id == cast.admin.account_id)
        assert {"break-glass.open", "patient.read"} <= set(session.scalars(events))
        told = session.execute(select(Delivery.account_id, Delivery.template)).all()
        assert REASON["reason"] not in str(vars(session.scalars(select(BreakGlass)).one()))
    assert {(row.account_id, row.template) for row in told} == {
        (cast.admin.account_id, "glass_broken"),
        (cast.bo.account_id, "glass_broken"),
    }
    (shown,) = cast.admin.get("/clinic/break-glass").json["items"]
    assert (shown["id"], shown["reason"]) == (opened, REASON["reason"])


def test_it_needs_a_reason_a_step_up_and_an_administrator_of_that_clinic(cast: Cast, clock: Clock) -> None:
    path = f"/patients/{cast.ana.patient_id}/break-glass"
    for reason in ({}, {"reason": ""}, {"reason": "  "}):
        assert cast.admin.post(path, reason).status_code == 422
    foreign = f"/patients/{cast.other_patient.patient_id}/break-glass"
    assert cast.admin.post(foreign, REASON).status_code == 404
    for other in (cast.bo, cast.coordinator, cast.ana, cast.scheduler, cast.cyd):
        assert other.post(path, REASON).status_code == 403
        assert other.get("/clinic/break-glass").status_code == 403
    clock.forward(minutes=6)
    headers = {"Authorization": f"Bearer {cast.admin.token}"}
    answer = cast.admin.client.post(f"/v1{path}", json=REASON, headers=headers)
    assert answer.json["code"] == "step-up-required"


def test_where_nobody_else_is_left_every_clinician_and_operations_are_told(
    cast: Cast, clock: Clock, around: Around
) -> None:
    with around.database.write(Extent.ALL) as session:
        operations.ensure(session, clock.now, "ops@hosting.example")
        session.execute(update(Patient).values(clinician_id=None))
    opens(cast)
    for _ in range(2):
        escalate.run(around, clock.forward(minutes=1))
    with around.database.read(Extent.ALL) as session:
        told = session.execute(select(Delivery.account_id, Delivery.template, Delivery.clinic_id)).all()
    ours = {(row.account_id, row.template) for row in told if row.clinic_id == cast.bo.clinic_id}
    assert ours == {(cast.admin.account_id, "glass_broken"), (cast.bo.account_id, "glass_broken")}
    assert [row.template for row in told if row.clinic_id != cast.bo.clinic_id] == ["glass_broken_alone"]


def test_operations_hear_nothing_where_the_patient_s_clinician_does(
    cast: Cast, clock: Clock, around: Around
) -> None:
    with around.database.write(Extent.ALL) as session:
        operations.ensure(session, clock.now, "ops@hosting.example")
    opens(cast)
    assert escalate.run(around, clock.now) == 0
