"""The SMS gateway reports: believed only with the proof we gave it, counted once, never lost on the way."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from uuid_utils.compat import uuid7

from jobs import deliver
from jobs.around import Around
from server.api.edge import Surroundings
from server.clinical.vocabulary import Channel, DeliveryState
from server.database import Database
from server.gateways.message import Handed, Receipt, RecordingGateway
from server.isolation import Extent
from server.models import Account, Alert, Delivery
from server.services.messages import operations
from server.settings import Settings, report_keys
from server.sms_report import make_proof
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.jobs.deeds import deliveries, kinds, opened_alerts
from tests.telephones import telephone

NUMBER, BO = "+4712345678", "bo@clinic.example"


@pytest.fixture
def sms() -> RecordingGateway:
    """A gateway that takes everything and promises to report."""
    return RecordingGateway("sms", receipts={NUMBER: Receipt(Handed.ACCEPTED, "ref-1", reports=True)})


@pytest.fixture
def around(database: Database, settings: Settings, sms: RecordingGateway) -> Around:
    """What jobs work with."""
    return Around(database, settings, {Channel.SMS: sms, Channel.EMAIL: RecordingGateway()})


@pytest.fixture
def texted(cast: Cast, clock: Clock, around: Around) -> Delivery:
    """Bo, who is reached by telephone, was sent an SMS about Ana."""
    telephone(around.database, clock.now, cast.bo, NUMBER)
    assert cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often")).status_code == 201
    assert deliver.run(around, clock.now) == 1
    (sent,) = deliveries(around)
    assert (sent.state, sent.reference) == (DeliveryState.ACCEPTED, "ref-1")
    return sent


def report(
    client: FlaskClient, app: Flask, delivery_id: Any, status: object, proof: str | None = None
) -> int:
    proof = make_proof(report_keys(Surroundings.of(app).settings)[0], delivery_id) if proof is None else proof
    return client.get(f"/v1/sms-reports/{delivery_id}?status={status}&proof={proof}").status_code


def test_a_phone_that_got_it_says_so_however_often(
    app: Flask, client: FlaskClient, around: Around, texted: Delivery
) -> None:
    assert [report(client, app, texted.id, status) for status in (8, 1, 1, 2)] == [204] * 4
    (after,) = deliveries(around)
    assert (after.state, after.report_by) == (DeliveryState.DELIVERED, None)


@pytest.mark.parametrize("status", [2, 16])
def test_a_phone_that_did_not_get_it_is_followed_by_the_next_way(
    app: Flask, client: FlaskClient, around: Around, texted: Delivery, status: int
) -> None:
    assert [report(client, app, texted.id, status) for _ in range(2)] == [204, 204]
    lost, again = deliveries(around)
    assert (lost.state, again.channel, again.account_id) == (
        *(DeliveryState.FAILED, Channel.EMAIL, lost.account_id),
    )
    (alert,) = opened_alerts(around.database)
    assert kinds(around, alert) == ["opened", "delivery_failed"]


def test_a_phone_that_did_not_get_it_at_the_ladder_s_end_is_believed_too(
    app: Flask, client: FlaskClient, around: Around, texted: Delivery, clock: Clock
) -> None:
    """Operations are told, who are another clinic."""
    with around.database.write(Extent.ALL) as session:
        operations.ensure(session, clock.now, "operations@service.example")
        session.execute(update(Alert).values(level=10))
        # Nobody else is left there to be told.
        ours = update(Account).where(Account.clinic_id == texted.clinic_id)
        session.execute(ours.values(disabled_at=clock.now))
    assert report(client, app, texted.id, 2) == 204
    (alert,) = opened_alerts(around.database)
    assert kinds(around, alert) == ["opened", "delivery_failed", "exhausted"]
    assert deliveries(around)[-1].template == "ladder_exhausted"


def test_a_report_that_never_comes_means_nobody_knows_and_the_next_way_is_used(
    around: Around, texted: Delivery, clock: Clock
) -> None:
    assert deliver.run(around, clock.forward(minutes=4)) == 0
    assert deliver.run(around, clock.forward(minutes=2)) == 1
    unknown, again = deliveries(around)
    assert (unknown.state, again.channel) == (DeliveryState.UNKNOWN, Channel.EMAIL)


def test_a_report_that_comes_late_still_counts(
    app: Flask, client: FlaskClient, around: Around, texted: Delivery, clock: Clock
) -> None:
    deliver.run(around, clock.forward(minutes=6))
    assert report(client, app, texted.id, 1) == 204
    assert deliveries(around)[0].state is DeliveryState.DELIVERED


def test_without_the_proof_there_is_no_such_place(
    app: Flask, client: FlaskClient, around: Around, texted: Delivery
) -> None:
    key = report_keys(Surroundings.of(app).settings)[0]
    assert report(client, app, texted.id, 2, "x" * 43) == 404
    assert report(client, app, texted.id, 2, make_proof(key, uuid7())) == 404
    assert report(client, app, uuid7(), 1) == 404
    assert deliveries(around)[0].state is DeliveryState.ACCEPTED


@pytest.mark.parametrize("status", ["", "x", "-1", "1.0", "٣", "9" * 40])
def test_a_state_that_is_none_is_refused(
    app: Flask, client: FlaskClient, texted: Delivery, status: str
) -> None:
    assert report(client, app, texted.id, status) == 422


def test_an_app_learns_which_channels_there_are_and_the_key_for_pushes(cast: Cast) -> None:
    answer = cast.ana.get("/channels").json
    assert answer["channels"] == ["email", "webhook", "push"]
    assert len(answer["push_key"]) == 87


def test_a_message_that_nobody_could_report_on_yet_is_no_report(cast: Cast, clock: Clock, app: Flask) -> None:
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often"))
    clock.now += timedelta(seconds=1)
    with Surroundings.of(app).database.read() as session:
        queued = session.query(Delivery).one()
    assert report(cast.bo.client, app, queued.id, 1) == 404
