"""A closed clinic: no way leads in any more, its log goes on, and its neighbour notices nothing."""

from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from jobs import audit_anchor, audit_seal, audit_verify, deliver, recover
from jobs.around import Around
from server.clinical.vocabulary import AlertState, DeliveryState
from server.database import Database
from server.gateways.message import RecordingGateway
from server.models import Alert, AuditEvent, AuditSeal, Delivery, Recovery
from server.services.errors import Conflict
from server.services.people import closing
from tests.cast import Cast, as_work, entry
from tests.conftest import Clock, rows_of

BO = {"role": "clinician", "name": "Gus", "email": "gus@clinic.example", "word": "tide"}


def test_no_invitation_and_no_forgotten_password_leads_into_a_closed_clinic(
    app: Flask, cast: Cast, clock: Clock, database: Database, around: Around
) -> None:
    client = app.test_client()
    asked = {"clinic": "demo", "email": "bo@clinic.example"}
    invited = cast.admin.post("/clinic/invitations", BO).json
    assert client.post("/v1/recoveries", json=asked).status_code == 204
    with database.write() as session:
        closing.erase(as_work(app, cast.admin, session), "Demo")
    assert recover.run(around, clock.now) == 0, "without its keys nobody could look"
    assert client.post("/v1/recoveries", json=asked).status_code == 204, "the answer for any address"
    mine = {"code": invited["code"], "email": BO["email"], "proof": "tide", "password": "a new one of mine"}
    assert client.post("/v1/enrolments", json=mine).status_code == 401
    with database.read() as session:
        assert len(session.scalars(select(Recovery)).all()) == 1
    asked["clinic"] = "elsewhere"
    assert client.post("/v1/recoveries", json=asked).status_code == 204
    assert recover.run(around, clock.now) == 1


def test_no_calendar_program_reads_when_a_closed_clinic_expects_somebody(
    app: Flask, cast: Cast, database: Database
) -> None:
    url = cast.coordinator.post("/clinic/calendar-feeds", {"name": "Reception"}).json["url"]
    path = urlsplit(url).path
    assert app.test_client().get(path).status_code == 200
    with database.write() as session:
        closing.erase(as_work(app, cast.admin, session), "Demo")
    assert app.test_client().get(path).status_code == 404


def test_what_was_asked_or_promised_while_a_clinic_was_closed_keeps_nobody_waiting(
    app: Flask, cast: Cast, clock: Clock, database: Database, around: Around, email: RecordingGateway
) -> None:
    """Whoever asks does not wait for whoever closes: what they write is there afterwards."""
    client = app.test_client()
    for clinic, address in (("demo", "bo@clinic.example"), ("elsewhere", "cyd@clinic.example")):
        client.post("/v1/recoveries", json={"clinic": clinic, "email": address})
        clock.forward(minutes=1)
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often"))
    with database.write() as session:
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED, report_by=clock.now))
    with database.write() as session:
        closing.erase(as_work(app, cast.admin, session), "Demo")
    with database.write() as session:
        session.execute(update(Recovery).values(looked_at=None))
    assert recover.run(around, clock.now) == 2
    assert recover.run(around, clock.now) == 0, "what does not open was looked at"
    assert deliver.run(around, clock.now) == 1
    assert [one.to for one in email.sent] == ["cyd@clinic.example"]
    with database.read() as session:
        promised = session.scalars(select(Delivery).where(Delivery.report_by.is_not(None)))
        assert promised.all() == []


def test_a_clinic_is_not_closed_while_a_legal_hold_stands_or_an_emergency_is_open(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    holds = f"/patients/{cast.ana.patient_id}/legal-holds"
    hold = cast.admin.post(holds, {"reason": "A court asks.", "until": "2026-03-02"}).json
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="plan"))
    for said in ("Legal holds that stand: 1.", "Emergencies that are open: 1."):
        before = rows_of(database)["clinic_keys"]
        with pytest.raises(Conflict, match=said), database.write() as session:
            closing.erase(as_work(app, cast.admin, session), "Demo")
        assert rows_of(database)["clinic_keys"] == before
        cast.admin.post(f"{holds}/{hold['id']}/release", version=1)
    with database.write() as session:
        session.execute(update(Alert).values(state=AlertState.RESOLVED))
    with database.write() as session:
        assert closing.erase(as_work(app, cast.admin, session), "Demo")


def test_the_log_of_a_closed_clinic_is_chained_to_its_last_line_and_still_verified(
    app: Flask, cast: Cast, clock: Clock, database: Database, around: Around
) -> None:
    audit_seal.run(around, clock.now)
    with database.write() as session:
        closing.erase(as_work(app, cast.admin, session), "Demo")
    audit_seal.run(around, clock.now)
    audit_anchor.run(around, clock.now)
    with database.read() as session:
        chained = select(AuditEvent.action).join(AuditSeal, AuditSeal.event_id == AuditEvent.id)
        assert "clinic-key.destroy" in session.scalars(chained).all()
    verdicts = list(audit_verify.verify(database, clock.now, [around.settings.anchor_file]))
    assert {one.clinic_id for one in verdicts} == {cast.bo.clinic_id, cast.cyd.clinic_id}
    assert [one.found for one in verdicts] == [None, None]
