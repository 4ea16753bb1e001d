"""Fault 30: a clinic's admin, or whoever took one over, would have us call what only we can reach.

Every way in which somebody gives us an address is tried with every form of one that lies inside, and every
connection that this process begins is seen: there must be none.
"""

import logging
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from jobs import deliver
from server.api.edge import EXTENSION, Surroundings
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState
from server.gateways.egress import Egress
from server.gateways.exchange import Limits, Request
from server.gateways.message import SendError
from server.gateways.scheduling import adapters
from server.gateways.webhook import WebhookGateway
from tests.api.test_contact_point import push
from tests.cast import Cast
from tests.faults.ward import Ward
from tests.gateways.scheduling import http_configs
from tests.gateways.web_peers import Answering, answering, behaving, saying

INSIDE = (
    "https://127.0.0.1/",
    "https://127.1/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://2130706433/",
    "https://0/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://10.0.0.8/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.8]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://hooks.example@10.0.0.8/",
    "https://10.0.0.8#@hooks.example/",
    "https://hooks.example\\@10.0.0.8/",
    "https://１０.0.0.8/",
    "http://hooks.example/",
    "http://10.0.0.8/",
    "gopher://10.0.0.8/",
    "file:///etc/passwd",
)
# What a name of the internet may say it leads to.
LEADING_INSIDE = (
    *(["127.0.0.1"], ["10.0.0.8"], ["169.254.169.254"], ["100.64.0.1"], ["::1"], ["fd00::1"]),
    *(["::ffff:169.254.169.254"], ["64:ff9b::a00:8"], ["93.184.215.14", "10.0.0.8"], ["0.0.0.0"]),
)
NAME = "https://hooks.clinic.example/x"
Give = Callable[[Cast, str], TestResponse]


def a_webhook(cast: Cast, url: str) -> TestResponse:
    return cast.admin.post("/clinic/webhooks", {"account_id": str(cast.bo.account_id), "url": url})


def a_scheduling_system(config: dict[str, Any], member: str = "base_url") -> Give:
    def give(cast: Cast, url: str) -> TestResponse:
        kind = config["kind"]
        settings = {**deepcopy(config["config"]), member: url}
        body = {"kind": kind, "name": "A system", "config": settings}
        return cast.admin.post("/clinic/scheduling-connections", body)

    return give


GNUHEALTH = {"database": "health", "user": "afterglow", "password": "secret"}
CALDAV = {"way": "caldav", "user": "afterglow", "password": "secret"}
WAYS: dict[str, Give] = {
    "a webhook": a_webhook,
    "a browser's subscription": lambda cast, url: push(cast.bo, url),
    "a FHIR system": a_scheduling_system({"kind": "fhir", "config": {}}),
    "a system over HTTP": a_scheduling_system({"kind": "http", "config": http_configs.SEARCHED}),
    "a GNU Health": a_scheduling_system({"kind": "gnuhealth", "config": GNUHEALTH}),
    "a calendar": a_scheduling_system({"kind": "calendar", "config": CALDAV}, "url"),
}


class Seen:
    """Which connections and questions for names this process began while it was watched."""

    def __init__(self) -> None:
        self.connected: list[Any] = []
        self.asked: list[Any] = []
        self.watching = False
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.watching:
            return
        # A path is the test's PostgreSQL on its socket.
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            self.connected.append(arguments[1])
        elif event == "socket.getaddrinfo":
            self.asked.append(arguments[0])


@cache
def _seen() -> Seen:
    """Return the one there is: an audit hook stays for good, and is asked at every turn of its process."""
    return Seen()


@contextmanager
def watched() -> Iterator[Seen]:
    """Watch what is connected to in this block."""
    seen = _seen()
    seen.connected, seen.asked, seen.watching = [], [], True
    try:
        yield seen
    finally:
        seen.watching = False


def leading_to(*answers: Sequence[str]) -> Callable[[str, int], Sequence[str]]:
    """Return a resolver that says each of ``answers`` in turn; an empty one is a name nobody knows."""
    left = list(answers)

    def resolve(_host: str, _port: int) -> Sequence[str]:
        found = left.pop(0) if len(left) > 1 else left[0]
        if not found:
            raise SendError(False, "unresolved", away=True)
        return found

    return resolve


def test_every_connection_is_seen() -> None:
    """The watch itself works: what must not be found could be."""
    with answering(Answering()) as port, watched() as seen:
        Egress(allow_loopback=True).post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert seen.connected == [("127.0.0.1", port)]


@pytest.fixture
def joined(app: Flask) -> None:
    """Let the adapters judge a connection's settings, as `create_app` has it."""
    app.extensions[EXTENSION] = replace(Surroundings.of(app), check_connection=adapters.check)


@pytest.mark.usefixtures("joined")
@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_giving_us_an_address_takes_one_inside(way: str, cast: Cast) -> None:
    give = WAYS[way]
    with watched() as seen:
        answers = {url: give(cast, url) for url in INSIDE}
    assert {url: answer.status_code for url, answer in answers.items() if answer.status_code != 422} == {}
    assert (seen.connected, seen.asked) == ([], [])
    good = give(cast, "https://hooks.clinic.example/r4/")
    assert good.status_code == 201, good.text


def test_nothing_inside_is_ever_connected_to_whatever_its_name_or_form() -> None:
    """As the gateways call, not only as the API takes it: rows may be older than a rule."""
    with watched() as seen:
        for url in INSIDE:
            with pytest.raises(SendError, match="egress_refused"):
                Egress().send(url, Request("PUT", {}, b"{}"))
        for addresses in LEADING_INSIDE:
            with pytest.raises(SendError, match="egress_refused"):
                Egress(resolver=leading_to(addresses)).post(NAME, {}, b"{}")
        egress = Egress(resolver=leading_to([], ["10.0.0.8"]))
        for reason in ("unresolved", "egress_refused"):
            with pytest.raises(SendError, match=reason):
                egress.post(NAME, {}, b"{}")
    assert seen.connected == []


@pytest.mark.parametrize("addresses", [["10.0.0.8"], ["169.254.169.254"], ["::1"]])
def test_a_name_that_leads_inside_later_is_not_followed_and_the_person_hears_by_mail(
    ward: Ward, addresses: list[str]
) -> None:
    """Good when it was given, rebound since: the webhook waits, the alert does not."""
    ward.around.gateways[Channel.WEBHOOK] = WebhookGateway(Egress(resolver=leading_to(addresses)))
    ward.hook(ward.cast.bo, NAME)
    alert = ward.alert(AlertClass.P0)
    with watched() as seen:
        deliver.run(ward.around, ward.clock.now)
        ward.clock.now += timedelta(minutes=6)
        deliver.run(ward.around, ward.clock.now)
    assert seen.connected == []
    states = {row.channel: row.state for row in ward.deliveries(alert)}
    assert states[Channel.WEBHOOK] is not DeliveryState.DELIVERED
    assert states[Channel.EMAIL] in (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)


MARK = "role-credentials-of-the-machine"
ANSWERS = (
    f"HTTP/1.1 500 {MARK}\r\nContent-Length: {len(MARK)}\r\nX-Inside: {MARK}\r\n\r\n{MARK}",
    f"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/{MARK}\r\nContent-Length: 0\r\n\r\n",
    f"HTTP/1.1 429 Slow\r\nRetry-After: {MARK}\r\nContent-Length: {len(MARK)}\r\n\r\n{MARK}",
    f"{MARK} is no HTTP\r\n\r\n",
)


@pytest.mark.parametrize("answer", ANSWERS, ids=["error", "redirect", "patience", "nonsense"])
def test_what_a_peer_answers_is_shown_to_nobody(
    ward: Ward, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever could be reached after all: who had us call it does not get to read it."""
    limits = Limits(connect=1, total=1)
    ward.around.gateways[Channel.WEBHOOK] = WebhookGateway(Egress(allow_loopback=True, limits=limits))
    with behaving(saying(answer.encode())) as port, caplog.at_level(logging.DEBUG):
        hook = ward.hook(ward.cast.bo, f"http://127.0.0.1:{port}/hook")
        alert = ward.alert(AlertClass.P2)
        with watched() as seen:
            deliver.run(ward.around, ward.clock.now)
    assert seen.connected == [("127.0.0.1", port)]
    shown = [
        ward.cast.admin.get(f"/clinic/webhooks/{hook}/deliveries").text,
        ward.cast.admin.get("/clinic/webhooks").text,
        ward.cast.admin.get("/audit-events?limit=200").text,
        ward.cast.bo.get(f"/alerts/{alert}").text,
        caplog.text,
    ]
    assert str(hook) in shown[1]
    assert [text for text in shown if MARK in text] == []


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(Answering()) as port:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        limits = Limits(connect=0.2, total=0.3)
        with watched() as seen, pytest.raises(SendError):
            Egress(limits=limits, resolver=leading_to(["93.184.215.14"])).post(NAME, {}, b"{}")
    assert {address[0] for address in seen.connected} == {"93.184.215.14"}
    assert socket.getdefaulttimeout() is None
