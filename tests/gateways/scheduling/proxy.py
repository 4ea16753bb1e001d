"""A real proxy in front of a system: it writes down every byte, and loses an answer when told to."""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Of the connection, not of the message.
_OWN = ("connection", "transfer-encoding", "content-length", "keep-alive")


class Proxy:
    """Passes on to ``peer_port`` of this machine. ``sent`` is every byte that went there."""

    def __init__(self, peer_port: int) -> None:
        self.peer_port = peer_port
        self.port = 0
        self.sent = b""
        self._left: int | None = None  # answers until the one that is lost
        self._lost = False

    def lose_answer(self, number: int) -> None:
        """Lose the ``number``-th answer from now on."""
        self._left, self._lost = number, False

    def has_lost(self) -> bool:
        """Return whether it was lost, and stop losing."""
        self._left = None
        return self._lost

    def loses_this_one(self) -> bool:
        """Count an answer."""
        if self._left is None:
            return False
        self._left -= 1
        if self._left == 0:
            self._left, self._lost = None, True
            return True
        return False


@contextmanager
def passing_on(proxy: Proxy) -> Iterator[Proxy]:
    """Run ``proxy`` on a free loopback port, which it then knows."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            proxy.sent += f"{self.requestline}\r\n{self.headers}".encode() + body + b"\r\n"
            status, headers, answer = _asked(proxy.peer_port, self, body)
            self.close_connection = True
            if proxy.loses_this_one():
                return
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def __getattr__(self, name: str) -> Any:
            # Whatever is asked (`do_GET`, `do_PROPFIND`) is passed on.
            if name.startswith("do_"):
                return self._pass_on
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                super().handle()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        proxy.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


def _asked(
    port: int, request: BaseHTTPRequestHandler, body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Ask the system itself; return status, headers and body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN}
        connection.request(request.command, request.path, body or None, headers)
        response = connection.getresponse()
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _OWN]
        return response.status, kept, response.read()
    finally:
        connection.close()
