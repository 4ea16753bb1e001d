"""Fault 10: a clinic's own system fails in every way there is; it delays nobody and is told of."""

import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from jobs import deliver
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState
from server.gateways.egress import Egress
from server.gateways.exchange import Limits
from server.gateways.message import Message, Receipt, RecordingGateway
from server.gateways.webhook import WebhookGateway
from server.models import ContactPoint, Delivery
from server.services.messages import retry
from tests.conftest import Clock
from tests.faults.ward import Ward
from tests.gateways.peers import self_signed
from tests.gateways.web_peers import (
    Answering,
    answering,
    behaving,
    flooding,
    never_accepting,
    silent,
    trickling,
)

EMAIL, WEBHOOK = Channel.EMAIL, Channel.WEBHOOK
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# How long one conversation may take here, in seconds: 15 in earnest.
LONGEST = 1.5
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n"
Hang = Callable[[], AbstractContextManager[int]]
HANGS: dict[str, Hang] = {
    "a byte at a time": lambda: behaving(trickling(b"HTTP/1.1 20")),
    "50 MB": lambda: behaving(flooding(OK, 50 * 2**20, [])),
    "silence": lambda: behaving(silent),
    "never accepted": never_accepting,
}


@dataclass
class Timed(RecordingGateway):
    """A twin that notes when it was last given something, in seconds."""

    last: float = 0.0

    def send(self, message: Message) -> Receipt:
        """Note the time."""
        self.last = time.monotonic()
        return super().send(message)


@pytest.fixture
def mail(ward: Ward) -> Timed:
    """Real webhooks, and e-mail that notes the time."""
    limits = Limits(connect=LONGEST, total=LONGEST)
    ward.around.gateways[WEBHOOK] = WebhookGateway(Egress(allow_loopback=True, limits=limits))
    ward.around.gateways[EMAIL] = gateway = Timed()
    return gateway


def url(port: int, path: str = "/hook", scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{port}{path}"


def hook_of(ward: Ward, alert: object) -> Delivery:
    return next(row for row in ward.deliveries(alert) if row.channel is WEBHOOK)


def is_in_use(ward: Ward) -> list[bool]:
    with ward.around.database.read() as session:
        points = select(ContactPoint.retired_at).where(ContactPoint.channel == WEBHOOK)
        return [retired is None for retired in session.scalars(points)]


def admins_told(ward: Ward) -> list[tuple[Channel, DeliveryState]]:
    with ward.around.database.read() as session:
        rows = list(session.scalars(select(Delivery).where(Delivery.template == "endpoint_disabled")))
    assert {row.account_id for row in rows} <= {ward.cast.admin.account_id}
    return [(row.channel, row.state) for row in rows]


def knock(ward: Ward, hours: float) -> list[timedelta]:
    """Deliver whenever the webhook is due, for so long; return the pauses between the tries."""
    began, tries = ward.clock.now, [ward.clock.now]
    deliver.run(ward.around, ward.clock.now)
    while (row := _waiting(ward)) is not None and row.due_at <= began + hours * HOUR:
        ward.clock.now = row.due_at
        tries.append(row.due_at)
        deliver.run(ward.around, ward.clock.now)
    return [after - before for before, after in pairwise(tries)]


def _waiting(ward: Ward) -> Delivery | None:
    waiting = select(Delivery).where(
        Delivery.channel == WEBHOOK, Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.SENT))
    )
    with ward.around.database.read() as session:
        return session.scalar(waiting)


def test_a_day_of_errors_keeps_to_the_schedule_and_the_day_after_it_is_delivered(
    ward: Ward, mail: Timed, clock: Clock
) -> None:
    """F10: 500 for a day. The person was told by e-mail long before."""
    with answering(peer := Answering(500)) as port:
        ward.hook(ward.cast.bo, url(port))
        alert = ward.alert(AlertClass.P2)
        pauses = knock(ward, 24)
        _as_the_standard_says(pauses, 6)
        assert (is_in_use(ward), admins_told(ward)) == ([True], [])
        peer.status = 204
        knock(ward, 24)
    assert hook_of(ward, alert).state is DeliveryState.DELIVERED
    ids = {request.headers["webhook-id"] for request in peer.received}
    assert ids == {str(hook_of(ward, alert).id)}


def _as_the_standard_says(pauses: list[timedelta], number: int) -> None:
    assert len(pauses) == number
    for pause, plain in zip(pauses, retry.WEBHOOK_PAUSES, strict=False):
        assert plain <= pause <= plain * (1 + retry.JITTER) + timedelta(seconds=1)


def test_a_whole_schedule_of_errors_ends_with_the_endpoint_switched_off_and_the_admins_told(
    ward: Ward, mail: Timed
) -> None:
    """F10: none of the ten tries of the standard is left out, and it is not given up in silence."""
    with answering(peer := Answering(500)) as port:
        ward.hook(ward.cast.bo, url(port))
        alert = ward.alert(AlertClass.P2)
        _as_the_standard_says(knock(ward, 24 * 5), 9)
    assert (len(peer.received), hook_of(ward, alert).state) == (10, DeliveryState.GIVEN_UP)
    ward.look()
    assert (is_in_use(ward), admins_told(ward)) == ([False], [(EMAIL, DeliveryState.ACCEPTED)])


def test_gone_means_gone_and_an_admin_whose_own_webhook_it_was_hears_by_mail(ward: Ward, mail: Timed) -> None:
    """F10: 410."""
    with answering(Answering(410)) as port:
        ward.hook(ward.cast.admin, url(port))
        ward.hook(ward.cast.bo, url(port, "/bo"))
        alert = ward.alert(AlertClass.P1)
        ward.look()
    assert hook_of(ward, alert).state is DeliveryState.GIVEN_UP
    assert ward.told(alert) == [("Bo", WEBHOOK), ("Bo", EMAIL)]
    assert is_in_use(ward) == [False, False]  # the admin's own was gone as well
    assert (EMAIL, DeliveryState.ACCEPTED) in admins_told(ward)


def test_a_busy_endpoint_is_given_the_time_it_asks_for(ward: Ward, mail: Timed) -> None:
    """F10: 429 with Retry-After; nobody may ask for more than an hour."""
    with answering(peer := Answering(429, {"Retry-After": "600"})) as port:
        ward.hook(ward.cast.bo, url(port))
        ward.alert(AlertClass.P2)
        first, second = knock(ward, 0.4)
        peer.headers["Retry-After"] = str(10**8)
        (third,) = knock(ward, 1.2)[-1:]
    assert (first, second) == (pytest.approx(timedelta(minutes=10), abs=timedelta(seconds=2)),) * 2
    assert third <= 1.1 * HOUR


def test_a_redirection_is_not_followed_but_tried_again(ward: Ward, mail: Timed) -> None:
    """F10: 302."""
    peer = Answering(302)
    with answering(elsewhere := Answering(204)) as there, answering(peer) as port:
        peer.headers["Location"] = url(there)
        ward.hook(ward.cast.bo, url(port))
        alert = ward.alert(AlertClass.P2)
        assert len(knock(ward, 1)) == 3
    assert (elsewhere.received, len(peer.received)) == ([], 4)
    assert (hook_of(ward, alert).failure, is_in_use(ward)) == ("redirected", [True])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate nobody knows")
def test_a_certificate_that_nobody_vouches_for_is_not_talked_to(
    ward: Ward, mail: Timed, tmp_path: Path
) -> None:
    """F10: wrong TLS."""
    with answering(peer := Answering(204), self_signed(tmp_path)) as port:
        ward.hook(ward.cast.bo, url(port, scheme="https"))
        alert = ward.alert(AlertClass.P1)
        ward.look(), ward.minutes(5.2)
    assert (peer.received, hook_of(ward, alert).failure) == ([], "tls")
    assert ward.told(alert) == [("Bo", WEBHOOK), ("Bo", EMAIL)]


@pytest.mark.parametrize("hang", HANGS)
def test_one_slow_endpoint_delays_nobody_else(ward: Ward, mail: Timed, hang: str) -> None:
    """F10: less urgent mail and another webhook are out long before the slow one has ended."""
    with HANGS[hang]() as slow, answering(peer := Answering(204)) as quick:
        ward.hook(ward.cast.bo, url(slow))
        ward.hook(gil := ward.hire("Gil"), url(quick))
        slow_one = ward.alert(AlertClass.P1)
        ward.alert(AlertClass.P2, gil)
        ward.alert(AlertClass.P2, ward.hire("Hal"))
        began = time.monotonic()
        ward.look()
    assert mail.sent
    assert mail.last - began < LONGEST
    assert len(peer.received) == 1
    assert hook_of(ward, slow_one).failure in ("timeout", "unreachable", None)


def test_twenty_slow_endpoints_do_not_delay_the_mail_either(ward: Ward, mail: Timed) -> None:
    """F10: an emergency leaves at once, although it comes after them."""
    clinicians = (ward.cast.bo, ward.hire("Gil"))
    with ExitStack() as peers:
        for number in range(20):
            port = peers.enter_context(never_accepting())
            ward.hook(clinicians[number % 2], url(port, f"/{number}"))
        for clinician in clinicians:
            ward.alert(AlertClass.P0, clinician)
        began = time.monotonic()
        ward.look()
    assert mail.sent
    assert mail.last - began < LONGEST
