"""The door to strangers' addresses, against real peers that are slow, endless, false or absent."""

import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.gateways.egress import Egress
from server.gateways.exchange import Limits, Reply, Request, refusal, resolve
from server.gateways.message import SendError
from tests.gateways.peers import self_signed, trusting
from tests.gateways.web_peers import (
    Answering,
    Behaviour,
    answering,
    behaving,
    flooding,
    never_accepting,
    repeating,
    saying,
    silent,
    trickling,
)
from tests.ports import free_port

PATIENT = Limits(connect=2, total=5)
SOON = Limits(connect=0.2, total=0.3)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")


def impatient() -> Egress:
    return Egress(allow_loopback=True, limits=SOON)


def leading_to(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    """Return a resolver that knows one answer."""
    return lambda _host, _port: addresses


def post(url: str, egress: Egress | None = None) -> Reply:
    return (egress or Egress(allow_loopback=True, limits=PATIENT)).post(url, {"X-Test": "1"}, b"{}")


def failure(url: str, egress: Egress | None = None) -> SendError:
    with pytest.raises(SendError) as caught:
        post(url, egress)
    return caught.value


@contextmanager
def in_time(seconds: float = 3.0) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


def test_a_peer_gets_headers_and_body_under_its_own_name() -> None:
    peer = Answering(200)
    with answering(peer) as port:
        assert post(f"http://127.0.0.1:{port}/hook?a=1").status == 200
    (request,) = peer.received
    assert (request.path, request.body) == ("/hook?a=1", b"{}")
    assert (request.headers["host"], request.headers["x-test"]) == (f"127.0.0.1:{port}", "1")


def test_an_answer_can_be_read_and_says_whether_it_is_whole() -> None:
    answer = b'HTTP/1.1 200 OK\r\nETag: W/"3"\r\nContent-Length: 5\r\n\r\nhello'
    with behaving(saying(answer)) as port:
        reply = Egress(True, PATIENT).send(f"http://127.0.0.1:{port}/", Request("PUT", {}, b"x"))
    assert (reply.status, reply.body, reply.headers["etag"], reply.whole) == (200, b"hello", 'W/"3"', True)


def test_an_answer_that_is_longer_than_what_is_read_is_not_whole() -> None:
    with behaving(flooding(OK, 52_428_800, [])) as port:
        reply = Egress(True, PATIENT).send(f"http://127.0.0.1:{port}/", Request("PUT", {}, b"x"))
    assert (reply.status, reply.whole) == (200, False)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"]
)
def test_an_answer_whose_body_comes_after_its_head_is_read_to_its_end(head: bytes) -> None:
    with behaving(saying(head, b"hello, ", b"world")) as port:
        reply = post(f"http://127.0.0.1:{port}/hook")
    assert (reply.body, reply.whole) == (b"hello, world", True)


def test_an_answer_that_breaks_off_is_not_whole() -> None:
    with behaving(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", b"hello")) as port:
        reply = post(f"http://127.0.0.1:{port}/hook")
    assert (reply.status, reply.body, reply.whole) == (200, b"hello", False)


def test_a_redirect_is_a_failure_and_never_followed() -> None:
    elsewhere = Answering()
    with answering(elsewhere) as other:
        peer = Answering(302, {"Location": f"http://127.0.0.1:{other}/latest/meta-data"})
        with answering(peer) as port:
            reply = post(f"http://127.0.0.1:{port}/")
    assert (reply.status, elsewhere.received) == (302, [])
    assert refusal(reply, NOW).reason == "redirected"


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy")
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with answering(Answering(200)) as port:
        assert post(f"http://127.0.0.1:{port}/").status == 200


def test_a_body_that_trickles_in_ends_at_the_deadline_and_the_status_counts() -> None:
    with behaving(trickling(OK)) as port, in_time():
        assert post(f"http://127.0.0.1:{port}/", impatient()).status == 200


@pytest.mark.long
@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_head_that_trickles_in_ends_at_the_deadline_in_doubt(head: bytes) -> None:
    with behaving(trickling(head)) as port, in_time():
        error = failure(f"http://127.0.0.1:{port}/", impatient())
    assert (error.reason, error.away, error.in_doubt) == ("timeout", True, True)


def test_a_body_of_50_megabytes_is_left_after_64_kilobytes() -> None:
    sent: list[int] = []
    with behaving(flooding(OK, 52_428_800, sent)) as port, in_time():
        assert post(f"http://127.0.0.1:{port}/").status == 200
    assert sum(sent) < 10_000_000  # what fits into the buffers of both sides of a connection


@pytest.mark.parametrize(
    "behaviour",
    [
        repeating(b"HTTP/1.1 100 Continue\r\n\r\n"),
        saying(b"SSH-2.0-OpenSSH_9.2\r\n"),
        saying(b""),
        saying(b"HTTP/1.1 20"),
    ],
    ids=["endless 100", "no http", "hangs up", "cut"],
)
def test_nonsense_is_a_failure_in_doubt(behaviour: Behaviour) -> None:
    with behaving(behaviour) as port, in_time():
        error = failure(f"http://127.0.0.1:{port}/")
    assert (error.permanent, error.away, error.in_doubt) == (False, True, True)


@pytest.mark.parametrize(
    "behaviour",
    [
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999\r\n\r\nx"),
        saying(b"HTTP/1.1 200 OK\r\nContent-Len"),
        repeating(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9000 + b"\r\n"),
    ],
    ids=["a length nobody could send", "cut head", "endless head"],
)
def test_the_status_counts_whatever_comes_after_it(behaviour: Behaviour) -> None:
    with behaving(behaviour) as port, in_time():
        assert post(f"http://127.0.0.1:{port}/").status == 200


def test_a_peer_that_never_answers_is_left_in_doubt() -> None:
    with behaving(silent) as port, in_time():
        error = failure(f"http://127.0.0.1:{port}/", impatient())
    assert (error.reason, error.in_doubt) == ("timeout", True)


def test_a_peer_that_never_accepts_is_left_after_the_time_to_connect() -> None:
    with never_accepting() as port, in_time():
        error = failure(f"http://127.0.0.1:{port}/", impatient())
    assert (error.reason, error.away, error.in_doubt) == ("timeout", True, False)


def test_a_peer_that_is_not_there_is_away() -> None:
    error = failure(f"http://127.0.0.1:{free_port()}/")
    assert (error.permanent, error.reason, error.away) == (False, "unreachable", True)


def test_a_tls_handshake_that_hangs_ends_after_the_time_to_connect() -> None:
    with behaving(silent) as port, in_time():
        error = failure(f"https://127.0.0.1:{port}/", impatient())
    assert (error.reason, error.in_doubt) == ("timeout", False)


def test_a_peer_without_tls_is_refused() -> None:
    with behaving(saying(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        error = failure(f"https://127.0.0.1:{port}/")
    assert (error.permanent, error.reason, error.in_doubt) == (False, "tls", False)


@needs_openssl
def test_a_name_is_reached_at_the_checked_address_under_its_own_certificate(tmp_path: Path) -> None:
    peer, tls, asked = Answering(200), self_signed(tmp_path, "DNS:hooks.clinic.example"), []
    tls.sni_callback = lambda _socket, name, _context: asked.append(name)
    egress = Egress(True, PATIENT, trusting(tmp_path), leading_to("127.0.0.1"))
    with answering(peer, tls) as port:
        assert post(f"https://hooks.clinic.example.:{port}/x", egress).status == 200
    assert (asked, peer.received[0].headers["host"]) == (
        ["hooks.clinic.example"],
        f"hooks.clinic.example:{port}",
    )


@needs_openssl
@pytest.mark.parametrize("trusted", [False, True], ids=["unknown authority", "another name"])
def test_a_wrong_certificate_is_refused(trusted: bool, tmp_path: Path) -> None:
    peer, tls = Answering(200), self_signed(tmp_path, "DNS:other.example")
    known: ssl.SSLContext | None = trusting(tmp_path) if trusted else None
    egress = Egress(True, PATIENT, known, leading_to("127.0.0.1"))
    with answering(peer, tls) as port:
        error = failure(f"https://hooks.clinic.example:{port}/x", egress)
    assert (error.permanent, error.reason, error.away, peer.received) == (False, "tls", True, [])


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["fd00::1"],
        ["93.184.215.14", "127.0.0.1"],
        [],
    ],
)
def test_a_name_that_leads_inside_is_refused_before_anything_is_connected(addresses: list[str]) -> None:
    peer = Answering()
    with answering(peer) as port:
        error = failure(
            f"https://rebound.example:{port}/", Egress(False, PATIENT, None, leading_to(*addresses))
        )
    assert (error.reason, error.permanent, peer.received) == ("egress_refused", False, [])


def test_a_name_that_leads_elsewhere_the_second_time_is_asked_once() -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    peer = Answering(200)
    with answering(peer) as port:
        egress = Egress(True, PATIENT, None, lambda _host, _port: answers.pop(0))
        assert post(f"http://localhost:{port}/", egress).status == 200
        # At the next sending the name has been rebound.
        assert failure(f"http://localhost:{port}/", egress).reason == "egress_refused"
    assert (answers, len(peer.received)) == ([], 1)


def test_plain_http_reaches_nothing_but_this_machine_whatever_a_name_says() -> None:
    error = failure("http://localhost/", Egress(True, PATIENT, None, leading_to("93.184.215.14")))
    assert error.reason == "egress_refused"


@pytest.mark.parametrize(
    "url", ["https://2130706433/", "http://127.0.0.1/", "file:///etc/passwd", "https://"]
)
def test_an_address_in_a_wrong_form_is_refused_for_good(url: str) -> None:
    error = failure(url, Egress(limits=PATIENT))
    assert (error.reason, error.permanent) == ("egress_refused", True)


def test_a_first_address_that_is_dead_does_not_hide_the_second() -> None:
    with answering(Answering(200)) as port:
        egress = Egress(True, PATIENT, None, leading_to("127.0.0.2", "127.0.0.1"))
        assert post(f"http://localhost:{port}/", egress).status == 200


def test_a_name_nobody_knows_is_tried_again() -> None:
    for name in ("nobody.invalid", "x" * 64 + ".example"):
        with pytest.raises(SendError) as caught:
            resolve(name, 443)
        assert (caught.value.permanent, caught.value.reason, caught.value.away) == (False, "unresolved", True)


def test_a_resolver_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [over.wait(5)][1:])
    with in_time(), pytest.raises(SendError, match="unresolved"):
        resolve("hooks.clinic.example", 443, seconds=0.05)
    over.set()


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Mon, 02 Mar 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Mon, 02 Mar 2026 11:00:00 GMT", timedelta()),
        ("Mon, 02 Mar 2026 12:05:00 -0000", timedelta(minutes=5)),
        ("999999999", timedelta(hours=1)),
        ("9" * 5000, None),
        ("-5", None),
        ("soon", None),
        (None, None),
    ],
)
def test_a_peer_may_ask_for_patience_of_at_most_an_hour(header: str | None, wait: timedelta | None) -> None:
    error = refusal(Reply(429, header), NOW)
    assert (error.reason, error.away, error.retry_after) == ("refused_429", True, wait)
    assert refusal(Reply(500, header), NOW).retry_after is None
