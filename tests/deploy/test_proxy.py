"""The proxy of the compose file, for real, before the API as it is served: what it lets in and what not."""

import json
import re
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from deploy.rehearsal import proxy
from deploy.rehearsal.place import Place
from deploy.rehearsal.plan import DEPLOY, read
from deploy.rehearsal.running import Running
from server.api import sync
from server.serve import THREADS
from server.settings import Settings
from tests.cast import Cast
from tests.deploy.test_lint import installed
from tests.faults.house import comes_true
from tests.faults.served import Served, served
from tests.ports import free_port

SETTINGS = (DEPLOY / "nginx" / "afterglow.conf").read_text("utf-8")
# More than the threads of two APIs.
NEVER_ENDING = 2 * THREADS + 1
SAID_ADDRESS = "203.0.113.7"


@dataclass(frozen=True)
class Door:
    """A proxy before two APIs, one of which is gone."""

    place: Place
    api: Served

    @property
    def port(self) -> int:
        """Where it answers."""
        return self.place.ports[proxy.PROGRAM][0]

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[HTTPResponse, bytes]:
        """Send a request and return what comes back, within five seconds."""
        line = HTTPSConnection("localhost", self.port, timeout=5, context=proxy.trust(self.place))
        try:
            line.request(method, path, body, headers or {})
            answer = line.getresponse()
            return answer, answer.read()
        finally:
            line.close()

    def connect(self) -> ssl.SSLSocket:
        """Open a connection."""
        line = socket.create_connection(("127.0.0.1", self.port), 5)
        return proxy.trust(self.place).wrap_socket(line, server_hostname="localhost")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tried here is before any database."""
    return sqlite_url


@contextmanager
def before(ports: list[int], patience: str = "10s") -> Iterator[Place]:
    """Start the proxy before APIs at ``ports``, with so much ``patience`` for slow clients."""
    installed("openssl")
    if (why := proxy.why_none()) is not None:
        pytest.skip(why)
    with tempfile.TemporaryDirectory(prefix="afterglow-proxy-") as folder:
        place, running = Place(Path(folder), read({})), Running(Path(folder))
        place.ports["api"] = ports
        try:
            settings = proxy.settle(place)
            for file in settings.parent.iterdir():
                file.write_text(
                    file.read_text("utf-8").replace("_timeout 10s;", f"_timeout {patience};"), "utf-8"
                )
            proxy.run(running, place, settings)
            yield place
        finally:
            running.stop()


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Settings], Door]]:
    """The proxy and an API behind it, started when they are first asked for: that takes seconds."""
    known: list[Door] = []
    with ExitStack() as stack:

        def find(settings: Settings) -> Door:
            if not known:
                kept = replace(settings, data_dir=tmp_path_factory.mktemp("served"))
                api = stack.enter_context(served(kept))
                known.append(Door(stack.enter_context(before([api.port, free_port()])), api))
            return known[0]

        with pytest.MonkeyPatch.context() as environ:
            environ.setenv("AFTERGLOW_TRUSTED_PROXIES", "1")
            yield find


@pytest.fixture
def door(doors: Callable[[Settings], Door], settings: Settings, cast: Cast) -> Door:
    """The way in to the API that Ana's token is good for."""
    return doors(settings)


def signed(cast: Cast) -> dict[str, str]:
    """Return the headers of a request of Ana's."""
    return {"Authorization": f"Bearer {cast.ana.token}", "Content-Type": "application/json"}


def entry() -> bytes:
    """Return an entry of now."""
    said = {"occurred_at": datetime.now(UTC).isoformat(), "zone": "Europe/London", "items": {"mood": 3}}
    return json.dumps(said).encode()


def test_clients_whose_bodies_never_end_keep_nobody_waiting(door: Door, cast: Cast) -> None:
    head = f"PUT /v1/entries/{uuid7()} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
    known = "".join(f"{name}: {value}\r\n" for name, value in signed(cast).items())
    with ExitStack() as lines:
        for _ in range(NEVER_ENDING):
            line = lines.enter_context(door.connect())
            line.sendall(f'{head}{known}\r\n{{"zone": '.encode())
        for _ in range(2 * NEVER_ENDING):
            assert door.ask("GET", "/livez")[0].status == 200
        answer, body = door.ask("PUT", f"/v1/entries/{uuid7()}", entry(), signed(cast))
        assert answer.status == 201, body


def test_where_one_api_is_gone_the_other_one_answers(door: Door, cast: Cast) -> None:
    for _ in range(6):
        assert door.ask("PUT", f"/v1/entries/{uuid7()}", entry(), signed(cast))[0].status == 201
    gone = f"api=127.0.0.1:{door.place.ports['api'][1]}, 127.0.0.1:{door.api.port} api_status=502, 20"
    # It writes its line after the answer.
    assert comes_true(lambda: gone in proxy.log(door.place), 5)


def test_no_path_and_no_query_is_logged_whatever_becomes_of_a_request(door: Door) -> None:
    secrets = ("feed-that-is-secret", "link-that-is-secret", "STOP+it", "47000001")
    paths = (
        f"/v1/calendar-feeds/{secrets[0]}/visits.ics",
        f"/v1/exports/{secrets[1]}?proof=proven",
        f"/v1/sms-messages?from=%2B{secrets[3]}&text={secrets[2]}",
        f"/v1/sms-reports/{uuid7()}?text={secrets[2]}",
    )
    with before([free_port()]) as nowhere:
        for place in (door, Door(nowhere, door.api)):
            for path in paths:
                place.ask("POST", path, b" " * 300_000)  # refused as too large
                place.ask("GET", path)
        said = proxy.log(door.place) + proxy.log(nowhere)
    assert said.count(" 413 ") == 8
    assert said.count(" 503 ") >= 4
    assert [word for word in (*secrets, "/v1/", "proof") if word in said] == []


def test_what_the_proxy_refuses_is_a_problem_like_any_other(door: Door) -> None:
    too_large, body = door.ask("POST", "/v1/sign-ins", b" " * 300_000)
    assert (too_large.status, json.loads(body)["code"]) == (413, "request-entity-too-large")
    with before([free_port()]) as nowhere:
        away, body = Door(nowhere, door.api).ask("GET", "/v1/me")
    assert (away.status, json.loads(body)["code"]) == (503, "unavailable")
    assert away.getheader("Retry-After") == "5"
    assert {too_large.getheader("Content-Type"), away.getheader("Content-Type")} == {
        "application/problem+json"
    }
    assert door.ask("GET", "/metrics")[0].status == 404


def test_nobody_chooses_the_address_they_are_counted_under_and_one_id_is_in_both_logs(door: Door) -> None:
    asked, _ = door.ask("GET", "/v1/me", headers={"X-Forwarded-For": SAID_ADDRESS, "X-Request-Id": "mine"})
    known = asked.getheader("X-Request-Id")
    assert known is not None
    assert known != "mine"
    (line,) = (line for line in door.api.log.read_text("utf-8").splitlines() if known in line)
    assert "address=127.0.0.1" in line
    # Both write their line after the answer has gone.
    until = time.monotonic() + 5
    while f"request_id={known}" not in proxy.log(door.place) and time.monotonic() < until:
        time.sleep(0.05)
    assert f"request_id={known}" in proxy.log(door.place)


def test_nobody_is_met_in_the_clear(door: Door) -> None:
    assert re.findall(r"^ *listen (.*);", SETTINGS, re.MULTILINE) == ["443 ssl"]
    with socket.create_connection(("127.0.0.1", door.port), 5) as line:
        line.sendall(b"GET /v1/me HTTP/1.1\r\nHost: x\r\n\r\n")
        assert re.match(rb"HTTP/1\.1 400 ", line.recv(1000))


def test_tls_older_than_1_2_is_refused(door: Door) -> None:
    old = proxy.trust(door.place)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    plain = socket.create_connection(("127.0.0.1", door.port), 5)
    with plain, pytest.raises(ssl.SSLError, match="alert protocol version"):
        old.wrap_socket(plain, server_hostname="localhost")
    with door.connect() as line:
        assert line.version() == "TLSv1.3"


def test_who_is_slow_is_hung_up_on(door: Door) -> None:
    head = b"PUT /v1/me HTTP/1.1\r\nHost: x\r\n"
    with before([door.api.port], patience="1s") as place, ExitStack() as lines:
        for said in (head, head + b"Content-Length: 1000\r\n\r\n{"):
            line = lines.enter_context(Door(place, door.api).connect())
            line.sendall(said)
            assert b"HTTP/1.1 2" not in line.recv(1000)  # after a second: before five of them, or this fails
    assert SETTINGS.count("client_body_timeout 10s;") == SETTINGS.count("client_header_timeout 10s;") == 1


def test_sizes_are_the_api_s() -> None:
    sizes = [int(size) * {"k": 2**10, "m": 2**20}[unit] for size, unit in _sizes()]
    assert sizes == [Settings().max_body_bytes, sync.LARGEST]


def _sizes() -> list[tuple[str, str]]:
    return re.findall(r"client_max_body_size (\d+)([km]);", SETTINGS)


def test_the_paths_it_names_are_paths_of_the_api(app: Flask) -> None:
    rules = [re.sub(r"<[^>]*>", "x", rule.rule) for rule in app.url_map.iter_rules()]
    (streamed,) = re.findall(r"location ~ (\S+) \{", SETTINGS)
    found = {rule for rule in rules if re.fullmatch(streamed, rule)}
    assert found == {"/v1/me/export", "/v1/exports/x", "/fhir/R4/Patient/x/$everything"}
    assert set(re.findall(r"location = (\S+)", SETTINGS)) <= set(rules)
