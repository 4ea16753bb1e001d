"""STOP by SMS: believed with its proof only, heeded before the next message, told to whom it matters."""

from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy import text as sql
from uuid_utils.compat import uuid7

from jobs import deliver, remind
from jobs.around import Around
from server.api.edge import Surroundings
from server.clinical.vocabulary import Channel, DeliveryState, Purpose
from server.commands.sms_address import command
from server.database import Database
from server.gateways.message import RecordingGateway
from server.isolation import Extent
from server.models import Consent, ContactPoint
from server.services.messages.number_index import normalised
from server.services.people import erasure as erasures
from server.services.work import Work, system
from server.settings import Settings, report_keys
from server.sms_report import inbound_address, inbound_proof
from tests.cast import Cast, entry, sign_in
from tests.conftest import Clock
from tests.consents import of_purpose, say
from tests.jobs.deeds import deliveries
from tests.jobs.test_remind import AFTER, ANA
from tests.telephones import telephone

NUMBER = "+4712345678"


@pytest.fixture
def sms() -> RecordingGateway:
    """A gateway that takes everything."""
    return RecordingGateway("sms")


@pytest.fixture
def email() -> RecordingGateway:
    """The mail server."""
    return RecordingGateway()


@pytest.fixture
def around(database: Database, settings: Settings, sms: RecordingGateway, email: RecordingGateway) -> Around:
    """What jobs work with."""
    return Around(database, settings, {Channel.SMS: sms, Channel.EMAIL: email})


def text(client: FlaskClient, app: Flask, sender: str, keyword: str, proof: str | None = None) -> int:
    """Let the gateway hand over an SMS."""
    proof = inbound_proof(report_keys(Surroundings.of(app).settings)[0]) if proof is None else proof
    query = {"number": sender, "keyword": keyword, "proof": proof}
    return client.get("/v1/sms-messages", query_string=query).status_code


def test_a_patient_who_answers_stop_gets_no_further_sms_and_their_no_is_kept(
    app: Flask, client: FlaskClient, cast: Cast, clock: Clock, around: Around, sms: RecordingGateway
) -> None:
    telephone(around.database, clock.now, cast.ana, NUMBER)
    clock.now = AFTER
    remind.run(around, clock.now)
    assert [text(client, app, NUMBER, word) for word in ("Stop", "STOP")] == [204, 204]
    deliver.run(around, clock.now)
    assert sms.sent == [], "the one that was waiting was not sent that way"
    ways = {(one.channel, one.failure) for one in deliveries(around)}
    assert (Channel.SMS, "consent_withdrawn") in ways
    assert (Channel.EMAIL, None) in ways, "there is another way, which Ana has not stopped"
    token = sign_in(client, "demo", "Ana@home.example")["access_token"]
    consents = client.get("/v1/me/consents", headers={"Authorization": f"Bearer {token}"})
    said = of_purpose(consents, Purpose.SMS)
    assert (said["state"], [one["way"] for one in said["history"]]) == ("withdrawn", ["sms"])


def test_a_number_given_again_is_written_to_only_after_a_yes(
    app: Flask, client: FlaskClient, cast: Cast, clock: Clock, around: Around, sms: RecordingGateway
) -> None:
    telephone(around.database, clock.now, cast.ana, NUMBER)
    text(client, app, NUMBER, "stop")
    telephone(around.database, clock.now, cast.ana, NUMBER)
    clock.now = AFTER
    remind.run(around, clock.now)
    deliver.run(around, clock.now)
    assert sms.sent == []
    clock.now += timedelta(days=1)
    remind.run(around, clock.now)
    token = sign_in(client, "demo", "Ana@home.example")["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    client.post("/v1/me/consents/sms", json={"given": True}, headers=headers)
    deliver.run(around, clock.now)
    assert [one.to for one in sms.sent] == [NUMBER]


@pytest.mark.parametrize("written", [NUMBER, "4712345678", "004712345678", "+47 123 45 678"])
def test_a_colleague_who_answers_stop_is_alerted_another_way_and_the_admins_hear(
    app: Flask,
    client: FlaskClient,
    cast: Cast,
    clock: Clock,
    around: Around,
    email: RecordingGateway,
    sms: RecordingGateway,
    written: str,
) -> None:
    telephone(around.database, clock.now, cast.bo, NUMBER)
    assert text(client, app, written, "STOP") == 204
    assert cast.bo.get("/me/contact-points").json["items"] == []
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="plan"))
    deliver.run(around, clock.now)
    assert sms.sent == []
    kinds = {(one.to, one.kind) for one in email.sent}
    assert ("eli@clinic.example", "notice.sms_stopped") in kinds
    assert ("bo@clinic.example", "notice.emergency_needs_review") in kinds


def test_one_number_is_stopped_at_every_clinic_and_others_are_left_alone(
    app: Flask, client: FlaskClient, cast: Cast
) -> None:
    for who in (cast.bo, cast.cyd):
        who.post("/me/contact-points", {"channel": "sms", "number": NUMBER})
    cast.coordinator.post("/me/contact-points", {"channel": "sms", "number": "+4787654321"})
    text(client, app, NUMBER, "STOP")
    left = [len(who.get("/me/contact-points").json["items"]) for who in (cast.bo, cast.cyd, cast.coordinator)]
    assert left == [0, 0, 1]


def test_stop_is_heeded_for_everybody_while_one_owner_of_the_number_is_being_erased(
    app: Flask, client: FlaskClient, cast: Cast, clock: Clock, around: Around
) -> None:
    for who in (cast.ana, cast.other_patient):
        telephone(around.database, clock.now, who, NUMBER)
    assert cast.ana.patient_id is not None
    with around.database.write() as session:
        erasures.run_out(Work(session, clock.now, system(cast.ana.clinic_id)), cast.ana.patient_id)
    assert text(client, app, NUMBER, "STOP") == 204
    assert _in_use(around) == set()
    with around.database.read(Extent.ALL) as session:
        said = session.scalars(select(Consent.patient_id).where(Consent.purpose == Purpose.SMS)).all()
    assert said == [cast.other_patient.patient_id], "of one who leaves nothing is written down any more"


def test_what_fails_at_one_clinic_undoes_stop_at_no_other_and_the_gateway_hears_of_it(
    app: Flask,
    client: FlaskClient,
    cast: Cast,
    clock: Clock,
    around: Around,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for who in (cast.bo, cast.cyd):
        telephone(around.database, clock.now, who, NUMBER)
    with around.database.write(Extent.ALL) as session:
        # As a newer version might have written it.
        session.execute(sql("UPDATE accounts SET role = 'conductor' WHERE name = 'Bo'"))
    assert text(client, app, NUMBER, "STOP") == 503, "so that it is sent again"
    assert _in_use(around) == {cast.bo.account_id}
    assert f"STOP failed for clinic {cast.bo.clinic_id}: KeyError" in caplog.text
    with around.database.write(Extent.ALL) as session:
        session.execute(sql("UPDATE accounts SET role = 'clinician' WHERE name = 'Bo'"))
    assert text(client, app, NUMBER, "STOP") == 204
    assert _in_use(around) == set()


def _in_use(around: Around) -> set[UUID]:
    """Return whose telephones are in use."""
    with around.database.read(Extent.ALL) as session:
        return set(session.scalars(select(ContactPoint.account_id).where(ContactPoint.retired_at.is_(None))))


def test_without_the_proof_there_is_no_such_place_and_other_words_do_nothing(
    app: Flask, client: FlaskClient, cast: Cast
) -> None:
    cast.bo.post("/me/contact-points", {"channel": "sms", "number": NUMBER})
    assert text(client, app, NUMBER, "STOP", "x" * 43) == 404
    assert text(client, app, NUMBER, "Hello") == 204
    assert text(client, app, NUMBER, "") == 204
    assert text(client, app, "+4700000000", "STOP") == 204, "nobody learns whether a number is known"
    assert len(cast.bo.get("/me/contact-points").json["items"]) == 1


def test_the_address_for_the_gateway_names_the_keyword_and_no_text() -> None:
    address = inbound_address("https://a.example/%41", b"k")
    assert (
        address == f"https://a.example/%%41/v1/sms-messages?number=%q&keyword=%k&proof={inbound_proof(b'k')}"
    )
    assert inbound_proof(b"k") != inbound_proof(b"l")
    assert command.name == "sms-address"


@pytest.mark.parametrize(
    ("said", "number"), [("+4712", "+4712"), ("004712", "+4712"), ("4712", "+4712"), ("", "+"), ("x", "+")]
)
def test_numbers_are_read_as_gateways_write_them(said: str, number: str) -> None:
    assert normalised(said) == number


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
def test_a_withdrawn_way_is_not_used_and_the_next_one_is(
    cast: Cast,
    clock: Clock,
    around: Around,
    email: RecordingGateway,
    sms: RecordingGateway,
    channel: Channel,
) -> None:
    telephone(around.database, clock.now, cast.ana, NUMBER)
    say(cast.ana, Purpose(channel.value), False)
    clock.now = AFTER
    remind.run(around, clock.now)
    deliver.run(around, clock.now)
    sent = {Channel.EMAIL: email.sent, Channel.SMS: sms.sent}
    used = [one for one, messages in sent.items() if any(m.to in (NUMBER, ANA) for m in messages)]
    assert used == [_other(channel)]


def _other(channel: Channel) -> Channel:
    return Channel.SMS if channel is Channel.EMAIL else Channel.EMAIL


def test_who_withdrew_every_way_is_not_written_to_at_all(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    say(cast.ana, Purpose.EMAIL, False)
    clock.now = AFTER
    remind.run(around, clock.now)
    deliver.run(around, clock.now)
    ana = [one for one in deliveries(around) if one.account_id == cast.ana.account_id]
    assert [(one.state, one.failure) for one in ana] == [(DeliveryState.GIVEN_UP, "consent_withdrawn")]
    assert ANA not in {one.to for one in email.sent}
