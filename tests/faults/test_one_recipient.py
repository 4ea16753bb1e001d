"""A mail server or SMS gateway that can't get over one recipient or one text keeps nobody else waiting."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from jobs import deliver
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState
from server.gateways.email import SmtpGateway
from server.gateways.exchange import Limits
from server.gateways.sms import Reports, SmsGateway
from tests.faults.ward import Ward
from tests.gateways.peers import Peer, listening
from tests.gateways.web_peers import Answering, Request, answering

DEAD = "bo@clinic.example"
SILENT, NUMBER = "+4740000001", "+4740000002"
STATES = {"RCPT": DeliveryState.QUEUED, "DATA": DeliveryState.SENT, "hang up": DeliveryState.SENT}


class Stuck(Peer):
    """A server that asks the recipient's own one before it answers, or looks through the text: in vain."""

    at = "RCPT"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Say nothing of one recipient."""
        if address == DEAD and self.at == "RCPT":
            await asyncio.sleep(5)
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Say nothing of what goes to them, or hang up."""
        if DEAD in envelope.rcpt_tos and self.at == "hang up":
            server.transport.close()
        if DEAD in envelope.rcpt_tos and self.at == "DATA":
            await asyncio.sleep(5)
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def server(ward: Ward) -> Iterator[Stuck]:
    """The mail server."""
    peer = Stuck()
    with listening(peer) as port:
        url = f"smtp://127.0.0.1:{port}"
        ward.around.gateways[Channel.EMAIL] = SmtpGateway(url, "a@b.example", timeout=2, last=2)
        yield peer


@pytest.mark.parametrize("at", STATES)
def test_a_climb_stands_behind_no_recipient_whom_the_mail_server_says_nothing_of(
    at: str, ward: Ward, server: Stuck
) -> None:
    server.at = at
    eva = ward.hire("eva")
    first, second = ward.alert(AlertClass.P0), ward.alert(AlertClass.P1, eva)
    ward.look()
    assert [mail["To"] for mail in server.received if mail["To"] != DEAD] == ["eva@clinic.example"]
    (waits,), (told,) = ward.deliveries(first), ward.deliveries(second)
    assert (waits.state, told.state) == (STATES[at], DeliveryState.ACCEPTED)


def test_a_run_is_not_lengthened_by_all_that_a_server_which_takes_nothing_has_in_hand(
    ward: Ward, server: Stuck, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.at = "DATA"
    monkeypatch.setattr(deliver, "LONGEST_RUN", timedelta(seconds=1.5))
    tried = [ward.alert(urgency) for urgency in (AlertClass.P0, AlertClass.P1, AlertClass.P2)]
    ward.look()
    states = [row.state for one in tried for row in ward.deliveries(one)]
    assert states == [DeliveryState.SENT, DeliveryState.QUEUED, DeliveryState.QUEUED]
    assert [row.tries_before for one in tried for row in ward.deliveries(one)] == [0, 1, 1]


@dataclass
class OneNumberSlow(Answering):
    """An SMS gateway that looks a number up before it answers, in vain for one, or hangs up over it."""

    status: int = 202
    hangs_up: bool = False

    def answer(self, request: Request) -> int:
        """Say nothing of one number."""
        if request.headers["x-kannel-to"] == SILENT:
            if self.hangs_up:
                raise ConnectionError
            time.sleep(1)
        return self.status


@pytest.mark.parametrize("hangs_up", [False, True])
def test_a_climb_stands_behind_no_number_that_the_sms_gateway_says_nothing_of(
    hangs_up: bool, ward: Ward
) -> None:
    eva = ward.hire("eva")
    ward.phone(ward.cast.bo, SILENT), ward.phone(eva, NUMBER)
    gateway = OneNumberSlow(hangs_up=hangs_up)
    with answering(gateway) as port:
        reports, limits = Reports("http://127.0.0.1:9", b"k" * 32), Limits(connect=1, total=0.4)
        there = SmsGateway(f"http://127.0.0.1:{port}/", "Afterglow", reports, limits)
        ward.around.gateways[Channel.SMS] = there
        first, second = ward.alert(AlertClass.P1), ward.alert(AlertClass.P1, eva)
        ward.look()
    assert [one.headers["x-kannel-to"] for one in gateway.received] == [SILENT, NUMBER]
    (waits,), (told,) = ward.deliveries(first), ward.deliveries(second)
    assert (waits.state, told.state) == (DeliveryState.SENT, DeliveryState.ACCEPTED)
