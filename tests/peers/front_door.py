"""A proxy in front of a real FHIR server: it signs in by SMART Backend Services, and makes trouble.

What it lets through is done by the server behind it; the trouble is what networks and busy servers make.
"""

import contextlib
import json
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt

TOKEN = "/sign-in/token"
_OWN = ("connection", "transfer-encoding", "content-length", "keep-alive")
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_REQUIRED = ["iss", "sub", "aud", "exp", "jti"]


@dataclass(frozen=True)
class Trouble:
    """What happens to one request: ``does`` it, and answers ``status``, or nothing at all."""

    does: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


LOST = Trouble(does=True)
TOO_MANY = Trouble(status=429, headers={"Retry-After": "7"})
STRANGER = Trouble(status=401)


@dataclass(frozen=True)
class Passed:
    """One request that came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class FrontDoor:
    """Passes on to ``peer_port``. ``keys``: key sets of registered clients; with any, a token is needed."""

    peer_port: int
    port: int = 0
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    passed: list[Passed] = field(default_factory=list)
    assertions: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    troubles: dict[str, list[Trouble]] = field(default_factory=lambda: defaultdict(list))

    @property
    def token_url(self) -> str:
        """Where tokens are given out."""
        return f"http://127.0.0.1:{self.port}{TOKEN}"

    def make(self, trouble: Trouble, at: str) -> None:
        """Make this trouble for the next request ``at`` (`POST Appointment`); more wait in line."""
        self.troubles[at].append(trouble)

    def count(self, at: str) -> int:
        """Return how many requests ``at`` came in."""
        return sum(_named(request.method, request.path) == at for request in self.passed)

    def let_in(self, form: Mapping[str, list[str]]) -> dict[str, Any]:
        """Give out a token for a signed assertion; raise `jwt.InvalidTokenError` for a bad one."""
        assertion = form["client_assertion"][0]
        if form["client_assertion_type"] != [_ASSERTION_TYPE] or form["grant_type"] != ["client_credentials"]:
            raise jwt.InvalidTokenError
        client = jwt.decode(assertion, options={"verify_signature": False})["iss"]
        known = {key["kid"]: key for key in self.keys[client]["keys"]}
        key = jwt.PyJWK(known[jwt.get_unverified_header(assertion)["kid"]])
        claims = jwt.decode(
            assertion,
            key,
            algorithms=["RS384", "ES384"],
            audience=self.token_url,
            issuer=client,
            options={"require": _REQUIRED},
        )
        is_again = claims["jti"] in {one["jti"] for one in self.assertions}
        if claims["sub"] != client or is_again or claims["exp"] > time.time() + 300:
            raise jwt.InvalidTokenError
        self.assertions.append(claims)
        self.tokens.add(token := secrets.token_urlsafe(16))
        return {"access_token": token, "token_type": "bearer", "expires_in": 300, "scope": form["scope"][0]}

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request may pass."""
        return not self.keys or headers.get("authorization", "").removeprefix("Bearer ") in self.tokens


@contextmanager
def opened(door: FrontDoor) -> Iterator[FrontDoor]:
    """Open ``door`` on a free loopback port, which it then knows."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(door)) as server:
        door.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield door
        finally:
            server.shutdown()
            thread.join()


def _handler(door: FrontDoor) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _passes(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Passed(self.command, self.path, headers, body)
            answer = _answered(door, request)
            if answer is not None:
                self._say(*answer)

        def do_GET(self) -> None:
            self._passes()

        def do_POST(self) -> None:
            self._passes()

        def do_PUT(self) -> None:
            self._passes()

        def _say(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                super().handle()

    return Handler


Answer = tuple[int, Mapping[str, str], bytes]


def _answered(door: FrontDoor, request: Passed) -> Answer | None:
    door.passed.append(request)
    waiting = door.troubles[_named(request.method, request.path)]
    if waiting:
        trouble = waiting.pop(0)
        if trouble.does:
            _asked(door.peer_port, request)
        return None if trouble.status is None else (trouble.status, trouble.headers, trouble.body)
    if request.path == TOKEN:
        return _signed_in(door, request)
    if request.path.endswith("/.well-known/smart-configuration"):
        return 200, {}, json.dumps({"token_endpoint": door.token_url}).encode()
    if not door.knows(request.headers):
        return 401, {"WWW-Authenticate": "Bearer"}, b""
    return _asked(door.peer_port, request)


def _signed_in(door: FrontDoor, request: Passed) -> Answer:
    try:
        return 200, {}, json.dumps(door.let_in(parse_qs(request.body.decode()))).encode()
    except (jwt.InvalidTokenError, KeyError):
        return 400, {}, b'{"error": "invalid_client"}'


def _asked(port: int, request: Passed) -> Answer:
    """Ask the server itself."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        headers = {name: value for name, value in request.headers.items() if name not in _OWN}
        connection.request(request.method, request.path, request.body or None, headers)
        response = connection.getresponse()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in _OWN}
        return response.status, kept, response.read()
    finally:
        connection.close()


def _named(method: str, path: str) -> str:
    """Return `POST Appointment` for a path that begins with a clinic; a transaction is `POST` alone."""
    return f"{method} {path.partition('?')[0].strip('/').partition('/')[2].partition('/')[0]}".strip()
