"""A patient who is erased is nowhere any more, and stays nowhere after a restore."""

import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from jobs import erase, erasure_list
from jobs.around import Around
from server.clinical.vocabulary import (
    AlertClass,
    Channel,
    DeliveryState,
    DeliverySubject,
    ErasureReason,
    Role,
    SuggestionState,
)
from server.database import Database
from server.models import Alert, AuditEvent, BookingSuggestion, Delivery, Erasure, Invitation
from server.services.people import erasing
from server.services.people import erasure as erasures
from server.services.people import invitation as invitations
from server.services.people import recovery as recoveries
from server.services.people.invitation import Invitee
from server.settings import Settings
from tests.cast import Cast, as_work, entry, sign_in
from tests.conftest import Clock, Scene, empty, fill, rows_of
from tests.consents import GUS, caregiver
from tests.scales import filled
from tests.services.test_vault import lying_in
from tests.visits import Visits

CANARY = "canary of ana"
NAME = "Ana Canary-Aasen"


@pytest.fixture
def lived(cast: Cast, clock: Clock, database: Database, visits: Visits, app: Flask, scene: Scene) -> Cast:
    """Ana has said, done and been asked for about all there is; Fay of the other clinic a little."""

    def lives() -> None:
        assert cast.bo.patch(visits.ana, {"name": NAME}, version=1).status_code == 200
        visits.on_treatment()
        cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, note=CANARY, tags=[CANARY]))
        cast.ana.put(f"/questionnaire-responses/{uuid7()}", filled(clock.now))
        cast.bo.post(f"{visits.ana}/precautions", {"code": "pregnancy", "note": CANARY})
        cast.bo.post(f"{visits.ana}/blood-pressures", {"systolic": 120, "diastolic": 80})
        cast.bo.put(f"{visits.ana}/policy", {"values": {"alert.cooldown_hours": 48}, "reason": CANARY})
        cast.ana.patch("/me/zone", {"zone": "Europe/Rome"})
        cast.ana.post("/me/contact-points", {"channel": "sms", "number": "+4740000001"})
        cast.ana.post("/me/exports", {"formats": ["json"]})
        caregiver(cast)
        with database.write() as session:
            invitee = Invitee(Role.PATIENT, NAME, "ana@home.example", patient_id=cast.ana.patient_id)
            invitations.invite(as_work(app, cast.bo, session), invitee)
            recoveries.ask(session, clock.now, "demo", "Ana@home.example")
            recoveries.look(session, clock.now)
        assert cast.admin.post(f"{visits.ana}/break-glass", {"reason": CANARY}).status_code == 201
        visits.relapse()
        cast.other_patient.put(f"/entries/{uuid7()}", entry(clock.now, note="Fay's own note"))

    scene(lives)
    return cast


def path(cast: Cast) -> str:
    return f"/patients/{cast.ana.patient_id}/erasure"


def confirmed(cast: Cast, name: str = NAME) -> dict[str, Any]:
    """Let the admin ask for Ana's erasure and confirm it."""
    asked = cast.admin.post(path(cast), {"reason": "patient_asked"})
    assert asked.status_code == 201, asked.text
    answer = cast.admin.post(f"{path(cast)}/confirm", {"patient_name": name}, version=asked.json["version"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def test_nothing_of_an_erased_patient_is_left_anywhere(
    lived: Cast, clock: Clock, around: Around, database: Database, settings: Settings
) -> None:
    before = rows_of(database)
    confirmed(lived)
    assert erase.run(around, clock.forward(hours=1)) == 1
    left = lying_in(database, settings)
    for said in (CANARY, NAME, "ana@home.example", "+4740000001"):
        assert said.encode() not in left, said
    # Ids stay in the audit log and in the tombstone, nowhere else.
    after = rows_of(database)
    named = {name for name, rows in after.items() if str(lived.ana.patient_id) in repr(rows)}
    assert named == {"audit_events", "erasures"}
    (recovery,), (opened,) = before["recoveries"], before["break_glass"]
    for one in (recovery["id"], opened["id"], lived.ana.account_id):
        kept = {name for name, rows in after.items() if str(one) in repr(rows)}
        assert kept <= {"audit_events"}, "an account, a link or a look has gone with its patient"
    receipt = lived.admin.get(path(lived)).json
    assert (receipt["state"], receipt["reason"]) == ("done", "patient_asked")
    counted = {name: len(before[name]) - len(after[name]) for name in receipt["counts"]}
    counted |= {"patients": 1}
    del counted["deliveries"], receipt["counts"]["deliveries"]  # confirming wrote some
    del counted["booking_suggestion_events"], receipt["counts"]["booking_suggestion_events"]
    assert receipt["counts"] == counted
    assert len(counted) > 20
    assert {"consents", "caregivers", "break_glass", "recoveries", "invitations"} <= counted.keys()


def test_the_receipt_says_what_its_hash_is_of(
    lived: Cast, clock: Clock, around: Around, database: Database, settings: Settings
) -> None:
    confirmed(lived)
    erase.run(around, clock.forward(hours=1))
    receipt = lived.admin.get(path(lived)).json
    with database.read() as session:
        said = erasing.receipt(session.scalars(select(Erasure)).one())
    assert said["counts"] == receipt["counts"]
    (line,) = erasure_list.read(erasure_list.file_of(settings))
    assert (line.patient_id, line.receipt_hash) == (lived.ana.patient_id, receipt["receipt_hash"])
    with database.read() as session:
        actions = session.scalars(select(AuditEvent.action).where(AuditEvent.action.startswith("erasure.")))
        assert set(actions) == {"erasure.ask", "erasure.confirm", "erasure.done", "erasure.read"}


def test_everybody_else_is_as_before(lived: Cast, clock: Clock, around: Around, database: Database) -> None:
    others = {
        one["id"]: one for one in rows_of(database)["entries"] if one["patient_id"] != lived.ana.patient_id
    }
    confirmed(lived)
    erase.run(around, clock.forward(hours=1))
    assert {one["id"]: one for one in rows_of(database)["entries"]} == others
    assert lived.other_patient.get("/entries").json["items"][0]["note"] == "Fay's own note"
    assert lived.bo.get("/patients").json["items"] == []
    assert lived.bo.get("/alerts").json["items"] == []


def test_it_takes_two_steps_and_the_name(lived: Cast, clock: Clock, around: Around) -> None:
    assert lived.admin.post(f"{path(lived)}/confirm", {"patient_name": NAME}, version=1).status_code == 404
    asked = lived.admin.post(path(lived), {"reason": "mistake"}).json
    wrong = lived.admin.post(f"{path(lived)}/confirm", {"patient_name": "Ana"}, version=1)
    assert (wrong.status_code, NAME in wrong.text) == (422, False)
    assert erase.run(around, clock.now) == 0
    assert lived.ana.get("/entries").status_code == 200, "nothing happens before it is confirmed"
    assert lived.admin.delete(path(lived)).status_code == 204
    assert lived.admin.get(path(lived)).json | {"version": 0} == asked | {"state": "cancelled", "version": 0}


@pytest.mark.parametrize("kept", ["Zoë Berg ", " Zoë  Berg", "Zoë\u00a0Berg", "Zoë\u200b Berg"])
def test_the_name_that_confirms_it_is_the_one_that_is_read_whatever_blanks_are_kept(
    lived: Cast, kept: str
) -> None:
    one = f"/patients/{lived.ana.patient_id}"
    version = lived.bo.get(one).json["version"]
    assert lived.bo.patch(one, {"name": kept}, version=version).status_code == 200
    asked = lived.admin.post(path(lived), {"reason": "mistake"}).json
    said = {"patient_name": unicodedata.normalize("NFD", "Zoë Berg")}
    confirmed = lived.admin.post(f"{path(lived)}/confirm", said, version=asked["version"])
    assert confirmed.status_code == 200, confirmed.text


def test_asking_confirming_releasing_a_hold_and_taking_away_need_a_fresh_proof_of_who_asks(
    lived: Cast, clock: Clock, visits: Visits
) -> None:
    hold = lived.admin.post(f"{visits.ana}/legal-holds", {"reason": "x"}).json["id"]
    clock.forward(minutes=6)
    for who, way, body in (
        (lived.admin, f"/v1{path(lived)}", {"reason": "mistake"}),
        (lived.admin, f"/v1{path(lived)}/confirm", {"patient_name": NAME}),
        (lived.admin, f"/v1{visits.ana}/legal-holds/{hold}/release", None),
        (lived.bo, f"/v1{visits.ana}/exports", {"formats": ["json"], "reason": "x"}),
        (lived.ana, "/v1/me/exports", {"formats": ["json"]}),
    ):
        headers = {"Authorization": f"Bearer {who.token}", "If-Match": '"v1"'}
        refused = who.client.post(way, json=body, headers=headers)
        assert (refused.status_code, refused.json["code"]) == (403, "step-up-required"), way


def test_an_account_that_is_closed_for_an_erasure_is_not_opened_again(lived: Cast) -> None:
    confirmed(lived)
    assert lived.admin.post(f"/clinic/accounts/{lived.ana.account_id}/enable").status_code == 404


def test_what_was_asked_for_long_ago_is_asked_for_again(
    lived: Cast, app: Flask, clock: Clock, database: Database
) -> None:
    lived.admin.post(path(lived), {"reason": "mistake"})
    clock.forward(days=8)
    with database.write() as session, pytest.raises(erasures.Conflict, match="too long ago"):
        erasures.confirm(as_work(app, lived.admin, session), _ana(lived), 1, NAME)


@pytest.mark.parametrize("reason", ["restored", "retention"])
def test_the_service_s_own_reasons_are_nobody_s_to_give(lived: Cast, reason: str) -> None:
    assert lived.admin.post(path(lived), {"reason": reason}).status_code == 422


@pytest.mark.parametrize("role", ["ana", "bo", "coordinator", "scheduler"])
def test_only_an_administrator_of_the_clinic_erases(lived: Cast, role: str) -> None:
    assert getattr(lived, role).post(path(lived), {"reason": "mistake"}).status_code == 403


def test_another_clinic_s_patient_is_not_there_to_be_erased_or_held(lived: Cast) -> None:
    foreign = f"/patients/{lived.other_patient.patient_id}"
    for method, way, body in (
        ("post", "erasure", {"reason": "mistake"}),
        ("post", "legal-holds", {"reason": "x"}),
        ("get", "legal-holds", None),
        ("get", "erasure", None),
        ("delete", "erasure", None),
    ):
        assert lived.admin.send(method.upper(), f"{foreign}/{way}", body).status_code == 404, way


def test_once_confirmed_nobody_finds_the_patient_and_no_door_is_open(
    lived: Cast, clock: Clock, visits: Visits, database: Database
) -> None:
    link = lived.ana.get("/me/exports").json["items"][0]["links"][0]["href"]
    token = sign_in(lived.ana.client, "demo", GUS["email"])["access_token"]
    gus = replace(lived.bo, token=token)
    shared = f"/cared-for/{lived.ana.patient_id}/trend"
    assert gus.get(shared).status_code == 200
    confirmed(lived)
    assert gus.get(shared).status_code == 401, "the account of who looks after nobody goes, too"
    assert lived.ana.get("/entries").status_code == 401
    assert lived.bo.get(visits.ana).status_code == 404
    assert lived.bo.get(f"{visits.ana}/entries").status_code == 404
    assert lived.bo.get("/patients").json["items"] == []
    assert lived.ana.client.get(link.removeprefix("http://127.0.0.1:8000")).status_code == 404
    with database.read() as session:
        assert all(one.cancelled_at for one in session.scalars(select(Invitation)))
    assert lived.admin.delete(path(lived)).status_code == 409


def test_a_legal_hold_keeps_everything_until_it_is_released(
    lived: Cast, clock: Clock, around: Around, visits: Visits
) -> None:
    holds = f"{visits.ana}/legal-holds"
    hold = lived.admin.post(holds, {"reason": "A court asks.", "until": "2026-03-02"})
    assert (hold.status_code, hold.json["reason"]) == (201, "A court asks.")
    refused = lived.admin.post(path(lived), {"reason": "mistake"})
    assert (refused.status_code, refused.json["code"]) == (409, "legal-hold")
    one = f"{holds}/{hold.json['id']}/release"
    assert lived.admin.post(one, version=7).json["current"]["reason"] == "A court asks."
    assert lived.admin.post(one, version=1).json["released_at"] is not None
    assert lived.admin.post(path(lived), {"reason": "mistake"}).status_code == 201


def test_a_hold_with_a_last_day_stands_to_the_end_of_that_day(
    lived: Cast, clock: Clock, visits: Visits, app: Flask, database: Database
) -> None:
    assert (
        lived.admin.post(f"{visits.ana}/legal-holds", {"reason": "x", "until": "2026-03-01"}).status_code
        == 422
    )
    lived.admin.post(f"{visits.ana}/legal-holds", {"reason": "x", "until": "2026-03-02"})
    clock.forward(days=1)
    with database.write() as session:
        assert erasures.ask(as_work(app, lived.admin, session), _ana(lived), ErasureReason.MISTAKE)


def test_a_hold_that_comes_after_the_confirmation_stops_what_is_left(
    lived: Cast, clock: Clock, around: Around, visits: Visits, database: Database
) -> None:
    confirmed(lived)
    assert lived.admin.post(f"{visits.ana}/legal-holds", {"reason": "Just in time."}).status_code == 201
    before = rows_of(database)
    assert erase.run(around, clock.forward(hours=25)) == 0
    assert rows_of(database) == before


def test_an_urgent_alert_has_to_be_closed_first(lived: Cast, clock: Clock) -> None:
    lived.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="plan"))
    refused = lived.admin.post(path(lived), {"reason": "patient_asked"})
    assert (refused.status_code, refused.json["code"]) == (409, "alert-open")


def test_a_booked_visit_has_to_be_settled_first(visits: Visits, cast: Cast) -> None:
    visits.booked()
    refused = cast.admin.post(path(cast), {"reason": "patient_asked"})
    assert (refused.status_code, refused.json["code"]) == (409, "visit-booked")


def test_the_clinic_s_system_has_a_day_to_hear_that_a_visit_is_withdrawn(
    visits: Visits, cast: Cast, clock: Clock, around: Around, database: Database
) -> None:
    suggestion = visits.approved()
    hook = {"url": "https://hooks.example.org/x", "account_id": str(cast.scheduler.account_id)}
    assert cast.admin.post("/clinic/webhooks", hook).status_code == 201
    confirmed(cast, "Ana")
    with database.read() as session:
        assert session.scalars(select(BookingSuggestion.state)).one() is SuggestionState.WITHDRAWN
        told = session.scalars(select(Delivery).where(Delivery.subject == DeliverySubject.SUGGESTION)).all()
        assert [one.event_state for one in told] == [SuggestionState.WITHDRAWN]
    seen = cast.scheduler.get(f"/inbox/booking-suggestions/{suggestion}")
    assert seen.json["state"] == "withdrawn"
    assert erase.run(around, clock.forward(hours=23)) == 0
    assert erase.run(around, clock.forward(hours=1)) == 1


def test_a_run_that_was_cut_off_goes_on_and_counts_each_row_once(
    lived: Cast, clock: Clock, around: Around, database: Database, app: Flask
) -> None:
    with database.read() as session:
        expected = erasing.counts(as_work(app, lived.admin, session), _ana(lived))
    confirmed(lived)
    with database.read() as session:
        erasure_id = session.scalars(select(Erasure.id)).one()
    clock.forward(hours=1)
    for _ in range(9):
        with database.write() as session:
            assert erasing.step(as_work(app, lived.admin, session), erasure_id, size=2)
    assert erase.run(around, clock.now) == 1
    assert erase.run(around, clock.now) == 0, "again is harmless"
    with database.read() as session:
        counts = dict(session.scalars(select(Erasure.counts)).one())
    changing = ("deliveries", "booking_suggestion_events")
    assert {k: v for k, v in counts.items() if k not in changing} == {
        k: v for k, v in expected.items() if k not in changing
    }


def test_a_message_about_somebody_else_in_one_bundle_still_goes_out(
    lived: Cast, clock: Clock, around: Around, database: Database
) -> None:
    with database.write() as session:
        mine, first, other = session.scalars(select(Alert.id)).one(), uuid7(), uuid7()
        for delivery_id, subject_id in ((first, mine), (other, uuid7())):
            session.add(_call(lived, clock, delivery_id, subject_id, first))
    confirmed(lived)
    erase.run(around, clock.forward(hours=1))
    with database.read() as session:
        left = session.get_one(Delivery, (lived.bo.clinic_id, other))
        assert (left.bundle_id, left.state) == (None, DeliveryState.QUEUED)


def test_what_a_restore_has_brought_back_is_erased_again(
    lived: Cast, clock: Clock, around: Around, database: Database, settings: Settings
) -> None:
    backup = rows_of(database)
    confirmed(lived)
    erase.run(around, clock.forward(hours=1))
    _restore(database, backup)
    assert CANARY not in lying_in(database, settings).decode("latin-1"), "it was sealed"
    assert str(lived.ana.patient_id) in repr(rows_of(database)["patients"])
    listed = erasure_list.read(erasure_list.file_of(settings))
    assert erase.apply(settings, database, clock.forward(days=1), listed) == 1
    named = {name for name, rows in rows_of(database).items() if str(lived.ana.patient_id) in repr(rows)}
    assert named == {"audit_events", "erasures"}
    assert NAME.encode() not in lying_in(database, settings)
    assert erase.apply(settings, database, clock.now, listed) == 0, "again finds nobody"
    assert {one.patient_id for one in erasure_list.read(erasure_list.file_of(settings))} == {
        lived.ana.patient_id
    }


def test_a_hold_from_before_does_not_keep_whom_a_restore_brings_back(
    lived: Cast, clock: Clock, around: Around, database: Database, settings: Settings, visits: Visits
) -> None:
    hold = lived.admin.post(f"{visits.ana}/legal-holds", {"reason": "x"}).json
    backup = rows_of(database)
    lived.admin.post(f"{visits.ana}/legal-holds/{hold['id']}/release", version=1)
    confirmed(lived)
    erase.run(around, clock.forward(hours=1))
    _restore(database, backup)
    listed = erasure_list.read(erasure_list.file_of(settings))
    assert erase.apply(settings, database, clock.now, listed) == 1


def test_a_line_of_the_list_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "list.jsonl"
    file.write_text('{"clinic_id": 1}\n')
    with pytest.raises(erasure_list.Problem, match="Line 1"):
        erasure_list.read(file)
    assert erasure_list.read(tmp_path / "none") == []


def _call(cast: Cast, clock: Clock, delivery_id: UUID, subject_id: UUID, bundle_id: UUID) -> Delivery:
    return Delivery(
        clinic_id=cast.bo.clinic_id,
        account_id=cast.bo.account_id,
        id=delivery_id,
        key=str(delivery_id),
        channel=Channel.EMAIL,
        subject=DeliverySubject.ALERT,
        subject_id=subject_id,
        urgency=AlertClass.P1,
        template="patient_needs_review",
        state=DeliveryState.QUEUED,
        bundle_id=bundle_id,
        due_at=clock.now,
        created_at=clock.now,
        attempt=1,
    )


def _restore(database: Database, rows: Any) -> None:
    empty(database)
    with database.read() as session:
        session.info["clinic_keyrings"].clear()
    fill(database, rows)


def _ana(cast: Cast) -> UUID:
    assert cast.ana.patient_id is not None
    return cast.ana.patient_id
