"""Fault 23: what a parser and a server trip over, sent byte by byte to the server as it is served."""

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from server.settings import Settings
from tests.cast import Cast
from tests.faults.served import Served, heard, served, status

TEN_MEGABYTES = 10 * 1024 * 1024
PIECE = 64 * 1024
# What a heap gains and loses by itself, in KiB.
UNEVEN = 16 * 1024


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[Settings], Served]]:
    """A server for each kind of database, started when it is first asked for: that takes seconds."""
    known: dict[str, Served] = {}
    with ExitStack() as stack:

        def find(settings: Settings) -> Served:
            url = settings.database_url
            if url not in known:
                known[url] = stack.enter_context(served(settings))
            return known[url]

        yield find


@pytest.fixture
def api(servers: Callable[[Settings], Served], settings: Settings, cast: Cast) -> Served:
    """The API that Ana's token is good for."""
    return servers(settings)


def head(cast: Cast, *lines: str, first: str = "POST /v1/sync HTTP/1.1") -> bytes:
    """Return the head of a request of Ana's."""
    known = (f"Authorization: Bearer {cast.ana.token}", "Content-Type: application/json", "Connection: close")
    return "\r\n".join([first, "Host: afterglow.example", *known, *lines, "", ""]).encode()


def pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + PIECE] for at in range(0, len(data), PIECE))


def chunked(data: bytes) -> Iterator[bytes]:
    for piece in pieces(data):
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def alive(api: Served) -> bool:
    return status(api.say(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) == 200


def test_ten_megabytes_are_refused_at_once_and_the_memory_stays_flat(api: Served, cast: Cast) -> None:
    huge = b'{"items": "' + b"x" * TEN_MEGABYTES + b'"}'
    bomb = gzip.compress(b" " * 5 * TEN_MEGABYTES)
    assert len(bomb) < PIECE
    with_length = head(cast, f"Content-Length: {len(huge)}")
    packed = head(cast, f"Content-Length: {len(bomb)}", "Content-Encoding: gzip")
    resident = []
    for times in (1, 5):
        for _ in range(times):
            assert status(api.say(with_length, pieces(huge))) == 413
            assert status(api.say(head(cast, "Transfer-Encoding: chunked"), chunked(huge))) == 413
            assert status(api.say(packed, [bomb])) == 400
        resident.append(api.memory())
    assert resident[1] - resident[0] < UNEVEN
    assert alive(api)


def test_a_huge_body_of_nobody_is_no_way_past_the_door(api: Served) -> None:
    lines = ("Host: x", "Content-Type: application/json", f"Content-Length: {TEN_MEGABYTES}", "", "")
    nobody = "\r\n".join(["POST /v1/sync HTTP/1.1", *lines]).encode()
    assert status(api.say(nobody, pieces(b"x" * TEN_MEGABYTES))) in (401, 413)
    assert alive(api)


def test_a_head_that_never_ends_is_hung_up_on_while_others_are_answered(api: Served, cast: Cast) -> None:
    begun = time.monotonic()
    slow = [api.connect() for _ in range(100)]
    for line in slow:
        line.sendall(b"POST /v1/sync HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    assert alive(api)
    assert status(api.say(head(cast, "Content-Length: 13"), [b'{"items": []}'])) == 200
    assert [heard(line) for line in slow] == [b""] * len(slow)
    assert time.monotonic() - begun < 10
    for line in slow:
        line.close()


def test_a_head_without_measure_is_refused(api: Served, cast: Cast) -> None:
    assert status(api.say(head(cast, "X-Long: " + "y" * 1_000_000))) == 431
    assert status(api.say(head(cast, *(f"X-{n}: y" for n in range(5000))))) in (400, 431)
    assert alive(api)


# Hyper takes the last one for chunked, as RFC 9112 has it; none of the others says where it ends.
ENDS_BY_CHUNKS = ("Content-Length: 2", "Transfer-Encoding: chunked")
DISPUTED = (
    ENDS_BY_CHUNKS,
    ("Content-Length: 2", "Content-Length: 5"),
    ("Content-Length: 2", "Transfer-Encoding: xchunked"),
    ("Transfer-Encoding: chunked, identity",),
    ("Transfer-Encoding: \x0bchunked",),
    ("Content-Length: +2",),
    ("Content-Length : 2",),
)


def test_a_request_whose_end_could_be_disputed_is_refused_or_ends_its_connection(
    api: Served, cast: Cast
) -> None:
    """What stands behind the first request is never answered as a second one (smuggling)."""
    inside = b"GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for lines in DISPUTED:
        first = head(cast, *lines).replace(b"Connection: close", b"Connection: keep-alive")
        answer = api.say(first, [b"0\r\n\r\n", inside])
        assert answer.count(b"HTTP/1.1 ") <= 1 or lines == ENDS_BY_CHUNKS, (lines, answer)
        assert alive(api)


# What was announced and did not come: its end, all of it, and chunks that are none.
CUT_OFF = (
    ("Content-Length: 200", b'{"items": []'),
    ("Content-Length: 200", b""),
    ("Transfer-Encoding: chunked", b'20\r\n{"items": []'),
    ("Transfer-Encoding: chunked", b""),
    ("Transfer-Encoding: chunked", b"zz\r\n"),
)


def test_a_body_that_was_cut_off_on_its_way_is_not_taken_for_an_empty_one(api: Served, cast: Cast) -> None:
    for line, body in CUT_OFF:
        with api.connect() as far:
            far.sendall(head(cast, line) + body)
            far.shutdown(socket.SHUT_WR)
            assert status(heard(far)) == 400, (line, body)
    assert status(api.say(head(cast, "Content-Length: 0"))) == 200
    assert alive(api)


def test_an_empty_body_in_chunks_is_told_how_to_say_that_it_is_empty(api: Served, cast: Cast) -> None:
    """A client that streams a body looks then like one that was cut off."""
    refused = api.say(head(cast, "Transfer-Encoding: chunked"), chunked(b""))
    assert status(refused) == 400
    assert b"say Content-Length: 0, or send {}." in refused
    for line, body in (("Content-Length: 0", ()), ("Transfer-Encoding: chunked", chunked(b"{}"))):
        assert status(api.say(head(cast, line), body)) == 200


def test_no_method_but_the_routes_own_is_answered(api: Served, cast: Cast) -> None:
    for method in ("TRACE", "CONNECT", "TRACK", "PROPFIND", "GARBAGE"):
        answer = api.say(head(cast, first=f"{method} /v1/me HTTP/1.1"))
        assert status(answer) in (400, 404, 405, 501), (method, answer)
        assert cast.ana.token.encode() not in answer
