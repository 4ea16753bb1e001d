"""Many clients at once, each with one request on a connection of its own, watched from one thread."""

import json
import selectors
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from tests.cast import Person
from tests.faults.served import status


@dataclass
class Client:
    """``heard``: what came back so far; ``seconds``: after how long it was all there, None until then."""

    line: socket.socket
    heard: bytes = b""
    seconds: float | None = None

    @property
    def status(self) -> int:
        """The status of the answer; 0 where there is none."""
        return status(self.heard)


@dataclass
class Crowd:
    """Clients that have all asked by now."""

    clients: Sequence[Client]
    began: float = field(default_factory=time.monotonic)
    left: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Note what comes until everybody was answered, or everybody leaves."""
        with selectors.DefaultSelector() as lines:
            for client in self.clients:
                lines.register(client.line, selectors.EVENT_READ, client)
            while lines.get_map() and not self.left.is_set():
                for key, _ in lines.select(0.1):
                    if not self._hear(cast("Client", key.data)):
                        lines.unregister(key.fileobj)

    def answered(self, seconds: float) -> list[Client]:
        """Return who was answered once everybody was, after ``seconds`` at the latest."""
        until = self.began + seconds
        while len(found := [one for one in self.clients if one.seconds is not None]) < len(self.clients):
            if time.monotonic() > until:
                break
            time.sleep(0.02)
        return found

    def _hear(self, client: Client) -> bool:
        """Return whether there may be more to hear."""
        try:
            piece = client.line.recv(65536)
        except OSError:
            piece = b""
        client.heard += piece
        if not piece:
            client.seconds = time.monotonic() - self.began
        return bool(piece)


@contextmanager
def crowd(port: int, requests: Sequence[bytes]) -> Iterator[Crowd]:
    """Send ``requests`` to a loopback port, all at once; whoever asked is gone at the end."""
    lines = [socket.create_connection(("127.0.0.1", port), 10) for _ in requests]
    for line, request in zip(lines, requests, strict=True):
        line.sendall(request)
    found = Crowd([Client(line) for line in lines])
    thread = threading.Thread(target=found.watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.left.set()
        thread.join(5)
        for line in lines:
            line.close()


def putting(who: Person, entry_id: str, body: Any) -> bytes:
    """Return the request by which a phone puts an entry."""
    said = json.dumps(body).encode()
    head = (
        f"PUT /v1/entries/{entry_id} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: Bearer {who.token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(said)}\r\n\r\n"
    )
    return head.encode() + said


def is_told_to_come_again(client: Client) -> bool:
    """Return whether the answer is 503 with a time to wait."""
    return client.status == 503 and b"\r\nretry-after: 5\r\n" in client.heard.lower()
