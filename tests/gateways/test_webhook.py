"""Signed webhooks: a receiver checks them with the standard's own library; faults keep them waiting."""

import base64
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from server.gateways.egress import Egress
from server.gateways.exchange import Limits
from server.gateways.message import Handed, Message, Receipt, SendError
from server.gateways.webhook import LARGEST_BODY, SCHEDULE, WebhookGateway
from tests.gateways.peers import self_signed
from tests.gateways.test_message import NOTICE
from tests.gateways.web_peers import Answering, Request, answering, behaving, trickling

OLD, NEW, OTHER = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
GATEWAY = WebhookGateway(Egress(allow_loopback=True, limits=Limits(connect=2, total=5)))


def to(port: int, *secrets: str, path: str = "/hook", scheme: str = "http") -> str:
    return json.dumps({"url": f"{scheme}://127.0.0.1:{port}{path}", "secrets": secrets or (NEW, OLD)})


def notice(destination: str, at: datetime | None = None) -> Message:
    # The library goes by the real clock.
    return replace(NOTICE, to=destination, at=at or datetime.now(UTC))


def failure(destination: str, at: datetime | None = None) -> SendError:
    with pytest.raises(SendError) as caught:
        GATEWAY.send(notice(destination, at))
    return caught.value


def received(*secrets: str, at: datetime | None = None) -> Request:
    peer = Answering(204)
    with answering(peer) as port:
        assert GATEWAY.send(notice(to(port, *secrets), at)) == Receipt(Handed.DELIVERED)
    (request,) = peer.received
    return request


def test_a_receiver_reads_what_happened_and_where_to_look() -> None:
    request = received()
    event = Webhook(NEW).verify(request.body, request.headers)
    assert event["type"] == NOTICE.kind
    assert event["data"] == {"id": str(NOTICE.id), "link": NOTICE.link}
    assert datetime.fromisoformat(event["timestamp"]).tzinfo is not None
    assert request.headers["webhook-id"] == str(NOTICE.id)
    assert request.headers["content-type"] == "application/json"
    assert len(request.body) < LARGEST_BODY


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_while_a_secret_is_changed_the_old_one_and_the_new_one_both_open_it(secret: str) -> None:
    request = received(NEW, OLD)
    assert Webhook(secret).verify(request.body, request.headers)


def test_another_secret_does_not_open_it() -> None:
    request = received(NEW)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(request.body, request.headers)


def test_a_body_that_was_tampered_with_is_noticed() -> None:
    request = received()
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(request.body.replace(b"alert", b"alarm"), request.headers)


def test_a_stamp_that_is_an_hour_old_is_noticed() -> None:
    request = received(at=datetime.now(UTC) - timedelta(hours=1))
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(NEW).verify(request.body, request.headers)


def test_a_time_in_another_zone_is_the_same_moment() -> None:
    request = received(at=datetime.now(timezone(timedelta(hours=9))))
    assert Webhook(NEW).verify(request.body, request.headers)


def test_a_repeat_has_the_same_id_and_its_own_stamp() -> None:
    now = datetime.now(UTC)
    first, second = (received(at=now - timedelta(seconds=age)).headers for age in (90, 0))
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 90


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_any_good_status_is_delivered(status: int) -> None:
    with answering(Answering(status)) as port:
        assert GATEWAY.send(notice(to(port))).state is Handed.DELIVERED


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413, 422, 500, 502])
def test_a_receiver_in_trouble_is_tried_again(status: int) -> None:
    with answering(Answering(status, {"Retry-After": "60"})) as port:
        error = failure(to(port))
    assert (error.permanent, error.gone, error.retry_after, error.in_doubt) == (False, False, None, False)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("date", [False, True], ids=["seconds", "date"])
def test_a_busy_receiver_is_given_the_time_it_asks_for(status: int, date: bool) -> None:
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    wanted = "Mon, 02 Mar 2026 12:02:00 GMT" if date else "120"
    with answering(Answering(status, {"Retry-After": wanted})) as port:
        error = failure(to(port), at)
    assert (error.permanent, error.away, error.retry_after) == (False, True, timedelta(minutes=2))


def test_a_receiver_that_is_gone_is_not_tried_again() -> None:
    with answering(Answering(410)) as port:
        error = failure(to(port))
    assert (error.permanent, error.gone, error.reason) == (True, True, "refused_410")


def test_a_slow_receiver_that_said_yes_has_it() -> None:
    soon = WebhookGateway(Egress(allow_loopback=True, limits=Limits(connect=0.2, total=0.3)))
    with behaving(trickling(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        assert soon.send(notice(to(port))).state is Handed.DELIVERED


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_a_receiver_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    peer = Answering()
    with answering(peer, self_signed(tmp_path)) as port:
        error = failure(to(port, scheme="https"))
    assert (error.reason, error.permanent, peer.received) == ("tls", False, [])


def test_without_the_setting_this_machine_is_never_called() -> None:
    peer = Answering()
    with answering(peer) as port, pytest.raises(SendError) as caught:
        WebhookGateway(Egress()).send(notice(to(port)))
    assert (caught.value.reason, peer.received) == ("egress_refused", [])


@pytest.mark.parametrize(
    "destination",
    [
        "",
        "https://hooks.example/",
        "[]",
        '{"url": "https://hooks.example/"}',
        '{"url": "https://hooks.example/", "secrets": []}',
        json.dumps({"url": 5, "secrets": [NEW]}),
        '{"url": "https://hooks.example/", "secrets": [5]}',
        '{"url": "https://hooks.example/", "secrets": ["whsec_c2hvcnQ="]}',
        json.dumps({"url": "https://hooks.example/", "secrets": [NEW.removeprefix("whsec_")]}),
    ],
)
def test_a_destination_that_is_none_is_refused_for_good(destination: str) -> None:
    error = failure(destination)
    assert (error.permanent, error.reason) == (True, "address")
    assert GATEWAY.lane(destination) == "unreadable"


def test_each_endpoint_has_its_own_lane_which_gives_no_path_away() -> None:
    lanes = {GATEWAY.lane(to(8443, path=path)) for path in ("/secret-1", "/secret-2", "/secret-1")}
    assert len(lanes) == 2
    assert all(lane.startswith("127.0.0.1:8443#") and "secret" not in lane for lane in lanes)
    assert GATEWAY.lane(to(8443, OLD)) == GATEWAY.lane(to(8443, NEW))


def test_an_event_that_outgrows_the_limit_is_not_sent() -> None:
    with pytest.raises(SendError) as caught:
        GATEWAY.send(replace(notice(to(1)), link="https://" + "x" * LARGEST_BODY))
    assert (caught.value.permanent, caught.value.reason) == (True, "too_large")


def test_a_receiver_is_tried_for_three_days_at_once_at_first() -> None:
    assert len(SCHEDULE) == 10
    assert SCHEDULE[:2] == (timedelta(), timedelta(seconds=5))
    assert timedelta(days=3) < sum(SCHEDULE, timedelta()) < timedelta(days=4)
    assert list(SCHEDULE) == sorted(SCHEDULE)
