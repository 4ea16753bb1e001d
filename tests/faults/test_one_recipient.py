"""A mail server that can't get over one recipient or one text keeps nobody else waiting."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from jobs import deliver
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState
from server.gateways.email import SmtpGateway
from tests.faults.ward import Ward
from tests.gateways.peers import Peer, listening

DEAD = "bo@clinic.example"
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
