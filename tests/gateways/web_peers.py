"""Real HTTP peers on loopback for the tests: one that answers as told, and ones that misbehave."""

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Behaviour = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Request:
    """One request as it came in; the names of its headers are in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answering:
    """A peer that keeps what it gets and answers with ``status`` and ``headers``."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    received: list[Request] = field(default_factory=list)

    def answer(self, _request: Request) -> int:
        """Return the status of the answer to a request."""
        return self.status


@contextmanager
def answering(peer: Answering, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Run ``peer`` on a loopback port and give the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_PUT(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            peer.received.append(request := Request(self.path, headers, body))
            self.send_response(peer.answer(request))
            for name, value in peer.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                super().handle()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # a client that does not trust us hangs up
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def behaving(behaviour: Behaviour) -> Iterator[int]:
    """Let ``behaviour`` deal with one caller, once all of the request is there; give the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        thread = threading.Thread(target=_behave, args=(listener, behaviour))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _behave(listener: socket.socket, behaviour: Behaviour) -> None:
    caller, _ = listener.accept()
    # The caller hangs up when it has had enough; that ends the behaviour.
    with caller, contextlib.suppress(OSError):
        caller.settimeout(5)
        _read_request(caller)
        behaviour(caller)


def _read_request(caller: socket.socket) -> None:
    # Hanging up on bytes that were not read would throw away what was said, too.
    read = b""
    while not re.search(rb"\r\n\r\n.", read, re.DOTALL):
        more = caller.recv(65536)
        read += more
        if not more or read.startswith(b"\x16"):  # TLS, where plain HTTP was expected
            return


def trickling(head: bytes) -> Behaviour:
    """Send ``head`` at once, and then one byte every twentieth of a second until the caller hangs up."""

    def behaviour(caller: socket.socket) -> None:
        caller.sendall(head)
        for _ in range(200):
            caller.sendall(b"x")
            time.sleep(0.05)

    return behaviour


def flooding(head: bytes, total: int, sent: list[int]) -> Behaviour:
    """Send ``head`` and ``total`` bytes as fast as they are taken; ``sent`` gets how many were."""

    def behaviour(caller: socket.socket) -> None:
        caller.sendall(head)
        for _ in range(total // 65536):
            caller.sendall(b"x" * 65536)
            sent.append(65536)

    return behaviour


def repeating(part: bytes) -> Behaviour:
    """Send the same bytes again and again."""

    def behaviour(caller: socket.socket) -> None:
        for _ in range(100_000):
            caller.sendall(part)

    return behaviour


def saying(*parts: bytes) -> Behaviour:
    """Send ``parts``, each a moment after the one before, and hang up."""

    def behaviour(caller: socket.socket) -> None:
        for number, part in enumerate(parts):
            time.sleep(0.05 * bool(number))
            caller.sendall(part)

    return behaviour


def silent(caller: socket.socket) -> None:
    """Say nothing until the caller hangs up."""
    while caller.recv(65536):
        pass


@contextmanager
def never_accepting() -> Iterator[int]:
    """Give a port whose queue of callers is full: one more is not even refused."""
    with socket.socket() as listener, contextlib.ExitStack() as callers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
