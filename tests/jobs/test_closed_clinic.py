"""A closed clinic: no way leads in any more, its log goes on, and its neighbour notices nothing."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from jobs import (
    audit_anchor,
    audit_seal,
    audit_verify,
    deliver,
    erase,
    erasure_list,
    probe,
    recover,
    retention,
)
from jobs.around import Around
from server.clinical.vocabulary import AlertState, DeliveryState, ErasureReason
from server.database import Database
from server.gateways.message import RecordingGateway
from server.models import Alert, AuditEvent, AuditSeal, Delivery, Recovery
from server.services.errors import Conflict
from server.services.people import closing
from server.services.people import erasure as erasures
from tests.cast import Cast, as_work, entry
from tests.conftest import Clock, empty, fill, rows_of
from tests.visits import Visits

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


def test_whoever_is_erased_at_a_clinic_that_closes_goes_all_the_same(
    app: Flask, cast: Cast, clock: Clock, around: Around, database: Database, visits: Visits
) -> None:
    visits.on_treatment()
    visits.approved()
    ana = cast.ana.patient_id
    assert ana is not None
    with database.write() as session:
        work = as_work(app, cast.admin, session)
        version = erasures.ask(work, ana, ErasureReason.PATIENT_ASKED).version
        erasures.confirm(work, ana, version, "Ana")
        closing.erase(work, "Demo")
    assert erase.run(around, clock.forward(hours=25)) == 1
    assert [row["name"] for row in rows_of(database)["patients"]] == ["Fay"]


def test_a_patient_of_a_closed_clinic_is_erased_whatever_nobody_there_can_settle_any_more(
    app: Flask, cast: Cast, clock: Clock, around: Around, database: Database, visits: Visits
) -> None:
    visits.on_treatment()
    visits.booked()
    ana = cast.ana.patient_id
    assert ana is not None
    with database.write() as session:
        closing.erase(as_work(app, cast.admin, session), "Demo")
    with database.write() as session:
        work = as_work(app, cast.admin, session)
        version = erasures.ask(work, ana, ErasureReason.PATIENT_ASKED).version
        erasures.confirm(work, ana, version, "Ana")
    assert erase.run(around, clock.forward(minutes=1)) == 1
    assert [row["name"] for row in rows_of(database)["patients"]] == ["Fay"]


def test_a_restore_brings_back_neither_whoever_was_erased_nor_the_clinic_that_closed_afterwards(
    app: Flask, cast: Cast, clock: Clock, around: Around, database: Database, visits: Visits
) -> None:
    visits.on_treatment()
    visits.approved()
    backup = rows_of(database)
    ana = cast.ana.patient_id
    assert ana is not None
    with database.write() as session:
        work = as_work(app, cast.admin, session)
        erasures.confirm(work, ana, erasures.ask(work, ana, ErasureReason.PATIENT_ASKED).version, "Ana")
    assert erase.run(around, clock.forward(hours=25)) == 1
    with database.write() as session:
        closing.erase(as_work(app, cast.admin, session), "Demo")
    erase.run(around, clock.forward(minutes=1))
    empty(database)
    with database.read() as session:
        session.info["clinic_keyrings"].clear()
    fill(database, backup)
    listed = erasure_list.read(erasure_list.file_of(around.settings))
    assert erase.apply(around.settings, database, clock.now, listed) == 2
    assert [row["name"] for row in rows_of(database)["patients"]] == ["Fay"]


def test_records_of_a_closed_clinic_run_out_like_any_others(
    app: Flask, cast: Cast, clock: Clock, around: Around, database: Database
) -> None:
    with database.write() as session:
        closing.erase(as_work(app, cast.admin, session), "Demo")
    probe.run(around, clock.now)
    with database.write() as session:
        session.execute(update(Alert).values(state=AlertState.RESOLVED))
    years = replace(around, settings=replace(around.settings, record_years=1))
    for _ in range(2):
        retention.run(years, clock.forward(days=400))
        erase.run(years, clock.now)
    (nobody,) = rows_of(database)["patients"]
    assert nobody["leaving_at"] is None, "the probe's own goes on"
