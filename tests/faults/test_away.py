"""Faults 8 and 9: mail server, SMS gateway and push service each fail in their own ways."""

import asyncio
import base64
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from server.clinical.vocabulary import AlertClass, Channel, DeliveryState
from server.gateways.egress import Egress
from server.gateways.email import SmtpGateway
from server.gateways.push import PushGateway
from server.gateways.sms import Reports, SmsGateway
from server.models import Account, ContactPoint
from server.services.messages import contact_point as contact_points
from server.services.messages import outbox_outcome
from tests.conftest import Clock
from tests.faults.ward import Ward
from tests.gateways.browsers import Browser
from tests.gateways.peers import Peer, listening
from tests.gateways.web_peers import Answering, Request, answering
from tests.ports import free_port

PHONE = "+4740000001"
EMAIL, SMS, PUSH = Channel.EMAIL, Channel.SMS, Channel.PUSH
TWENTY = timedelta(minutes=20)
# In an outage it is enough here to look so often.
SELDOM = timedelta(minutes=2)
KEY = base64.urlsafe_b64encode(b"k" * 32).decode().rstrip("=")


class Moody(Peer):
    """A mail server that is too busy, or takes a message and never says so, or is kind."""

    mood = "busy"

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def handle_RCPT(self, *known: Any) -> str:
        """Be too busy, or not."""
        self.asked += 1
        return "451 later" if self.mood == "busy" else await super().handle_RCPT(*known)

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, *_: Any) -> str:
        """Take no message of ours today, or any."""
        if self.mood == "strict":
            return "550 5.4.5 daily sending quota exceeded"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take it, or sit on it."""
        if self.mood == "hangs":
            await asyncio.sleep(30)
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def server() -> Iterator[tuple[Moody, int]]:
    """The mail server and its port."""
    peer = Moody()
    with listening(peer) as port:
        yield peer, port


def smtp(ward: Ward, port: int) -> None:
    ward.around.gateways[EMAIL] = SmtpGateway(
        f"smtp://127.0.0.1:{port}", "a@b.example", timeout=0.1, last=0.1
    )


def test_an_hour_without_mail_loses_nothing_and_the_most_urgent_goes_first_when_it_is_back(
    ward: Ward, clock: Clock, server: tuple[Moody, int]
) -> None:
    """F8: it refuses, then answers 451, then hangs after DATA, 20 minutes each."""
    (peer, port), began = server, clock.now
    p2, p1, p0 = (ward.alert(urgency) for urgency in (AlertClass.P2, AlertClass.P1, AlertClass.P0))
    smtp(ward, free_port())
    ward.look()
    ward.phone(ward.cast.bo, PHONE)
    ward.until(began + TWENTY, tick=SELDOM)
    smtp(ward, port)
    ward.until(began + 2 * TWENTY, tick=SELDOM)
    peer.mood = "hangs"
    ward.until(began + 3 * TWENTY, tick=SELDOM)
    assert peer.received == []
    mine = (EMAIL, ward.cast.bo.account_id)
    mails = [row for row in ward.deliveries(p0) if (row.channel, row.account_id) == mine]
    assert 25 <= sum(row.attempt for row in mails) <= 45  # urgent: at every look, the newest call alone
    assert [row.failure for row in mails[:-1]] == ["not_needed"] * (len(mails) - 1)
    assert 5 <= ward.deliveries(p2)[0].attempt <= 8  # not urgent: ever longer pauses
    peer.mood = "kind"
    ward.minutes(3)
    ward.until(clock.now + timedelta(minutes=40), tick=SELDOM)
    _nothing_is_lost(ward, peer)
    _drained_in_order(ward, began + 3 * TWENTY, p0, p2)
    # Bo's telephone came into the book meanwhile: five minutes of silence, and it is used.
    by_phone = next(row for row in ward.deliveries(p1) if row.channel is SMS)
    assert by_phone.created_at - began == pytest.approx(timedelta(minutes=5), abs=SELDOM)


def _nothing_is_lost(ward: Ward, peer: Moody) -> None:
    # A call that a newer one to the same person over the same way says again is not sent as well.
    rows = [row for row in ward.deliveries() if row.failure != "not_needed"]
    assert {row.state for row in rows} == {DeliveryState.ACCEPTED}
    ways = {(row.subject_id, row.account_id, row.channel) for row in ward.deliveries()}
    assert {(row.subject_id, row.account_id, row.channel) for row in rows} == ways
    heads = {row.bundle_id or row.id for row in rows if row.channel is EMAIL}
    arrived = [str(mail["Message-ID"]).strip("<>").partition("@")[0] for mail in peer.received]
    assert set(arrived) == {str(one) for one in heads}


def _drained_in_order(ward: Ward, back: datetime, p0: Any, p2: Any) -> None:
    urgent = [
        row.finished_at
        for row in ward.deliveries(p0)
        if row.channel is EMAIL and row.created_at <= back and row.failure != "not_needed"
    ]
    calm = [row.finished_at for row in ward.deliveries(p2) if row.channel is EMAIL]
    assert max(urgent) - back <= timedelta(minutes=2)
    assert max(urgent) <= min(calm)


def test_a_mail_account_that_is_shut_for_an_hour_loses_nothing_and_makes_nobody_unreachable(
    ward: Ward, clock: Clock, server: tuple[Moody, int]
) -> None:
    """F8: the sender is refused for good, whoever the message is for; then the account is open again."""
    (peer, port), peer.mood = server, "strict"
    smtp(ward, port)
    alert = ward.alert(AlertClass.P2)
    ward.look()
    ward.until(clock.now + 3 * TWENTY, tick=SELDOM)
    assert {(row.state, row.failure) for row in ward.deliveries(alert)} == {(DeliveryState.QUEUED, "sender")}
    with ward.work() as work:
        bo = work.session.get_one(Account, (work.clinic_id, ward.cast.bo.account_id))
        assert contact_points.reachable(work, [bo]) == {bo.id}
    peer.mood = "kind"
    ward.until(clock.now + 2 * TWENTY, tick=SELDOM)
    assert {row.state for row in ward.deliveries(alert)} == {DeliveryState.ACCEPTED}
    assert "bo@clinic.example" in [mail["To"] for mail in peer.received]


def sms(ward: Ward, port: int) -> None:
    reports = Reports("https://afterglow.example", b"r" * 32)
    ward.around.gateways[SMS] = SmsGateway(f"http://u:p@127.0.0.1:{port}/sendsms", "Clinic", reports)


def test_a_gateway_for_sms_that_is_down_is_passed_by_after_five_minutes(ward: Ward, clock: Clock) -> None:
    """F9."""
    ward.phone(ward.cast.bo, PHONE)
    sms(ward, free_port())
    alert = ward.alert(AlertClass.P1)
    ward.look(), ward.minutes(4.9)
    assert ward.told(alert) == [("Bo", SMS)]
    ward.minutes(0.2)
    assert ward.told(alert) == [("Bo", SMS), ("Bo", EMAIL)]
    assert ward.deliveries(alert)[1].state is DeliveryState.ACCEPTED


def test_a_report_that_never_comes_makes_it_unknown_and_the_next_way_is_used(
    ward: Ward, clock: Clock
) -> None:
    """F9: taken by the gateway, and silence; a report that comes late is believed all the same."""
    ward.phone(ward.cast.bo, PHONE)
    alert = ward.alert(AlertClass.P1)
    with answering(Answering(202)) as port:
        sms(ward, port)
        ward.look()
        assert ward.deliveries(alert)[0].state is DeliveryState.ACCEPTED
        ward.minutes(5.2)
    by_phone, by_mail = ward.deliveries(alert)
    assert (by_phone.state, by_phone.failure) == (DeliveryState.UNKNOWN, "no_report")
    assert (by_mail.channel, by_mail.state) == (EMAIL, DeliveryState.ACCEPTED)
    assert "delivery_unknown" in ward.kinds(alert)
    with ward.around.database.write() as session:
        assert outbox_outcome.report(session, clock.now, by_phone.id, arrived=True)
    assert ward.deliveries(alert)[0].state is DeliveryState.DELIVERED


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_crossed_out_and_the_next_way_is_used_at_once(
    ward: Ward, status: int
) -> None:
    """F9: the next alert does not even try it."""
    ward.around.gateways[PUSH] = PushGateway(Egress(allow_loopback=True), KEY, "a@b.example")
    with answering(peer := Answering(status)) as port:
        gone = ward.browser(ward.cast.bo, Browser().subscription(f"http://127.0.0.1:{port}/push"))
        first = ward.alert(AlertClass.P1)
        ward.look()
        second = ward.alert(AlertClass.P1)
        ward.look()
    assert (ward.told(first), ward.told(second)) == ([("Bo", PUSH), ("Bo", EMAIL)], [("Bo", EMAIL)])
    assert ward.deliveries(first)[1].state is DeliveryState.ACCEPTED
    assert len(peer.received) == 1
    with ward.around.database.read() as session:
        point = session.get_one(ContactPoint, (ward.cast.bo.clinic_id, gone))
        assert (point.retired_at is not None, point.retired_why) == (True, f"refused_{status}")


class Picky(Answering):
    """A push service where one browser subscribed with another key than ours."""

    def answer(self, request: Request) -> int:
        """Take what is for any other."""
        return 403 if request.path == "/other-key" else 201


def test_a_browser_that_subscribed_with_another_key_is_told_another_way_and_keeps_no_other_waiting(
    ward: Ward,
) -> None:
    """F9: of two at one push service; both are written to in one run."""
    ward.around.gateways[PUSH] = PushGateway(Egress(allow_loopback=True), KEY, "a@b.example")
    gil = ward.hire("Gil")
    with answering(peer := Picky()) as port:
        ward.browser(gil, Browser().subscription(f"http://127.0.0.1:{port}/other-key"))
        ward.browser(ward.cast.bo, Browser().subscription(f"http://127.0.0.1:{port}/bo"))
        other, mine = ward.alert(AlertClass.P1, gil), ward.alert(AlertClass.P1)
        ward.look()
    assert [request.path for request in peer.received] == ["/other-key", "/bo"]
    assert ward.told(other) == [("Gil", PUSH), ("Gil", EMAIL)]
    assert ward.told(mine) == [("Bo", PUSH)]
    by_push, by_mail = ward.deliveries(other)
    assert (by_push.state, by_push.failure) == (DeliveryState.GIVEN_UP, "sign_in")
    assert [row.state for row in (by_mail, *ward.deliveries(mine))] == [DeliveryState.ACCEPTED] * 2


class OnlyAtHome(Answering):
    """An SMS gateway that has no way to the numbers of one country."""

    def answer(self, request: Request) -> int:
        """Take what is for a number at home."""
        return 202 if request.headers["x-kannel-to"] == PHONE else 403


def test_a_number_that_the_gateway_has_no_way_to_is_told_another_way_and_keeps_no_other_waiting(
    ward: Ward,
) -> None:
    """F9: both are written to in one run."""
    gil = ward.hire("Gil")
    ward.phone(gil, "+99940000001"), ward.phone(ward.cast.bo, PHONE)
    with answering(peer := OnlyAtHome()) as port:
        sms(ward, port)
        abroad, mine = ward.alert(AlertClass.P1, gil), ward.alert(AlertClass.P1)
        ward.look()
    assert len(peer.received) == 2
    assert ward.told(abroad) == [("Gil", SMS), ("Gil", EMAIL)]
    assert ward.told(mine) == [("Bo", SMS)]
    assert [row.failure for row in ward.deliveries(abroad)] == ["refused_403", None]
    assert ward.deliveries(mine)[0].state is DeliveryState.ACCEPTED
