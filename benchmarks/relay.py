"""A way to PostgreSQL that takes as long as a network would: what comes back is held for a while.

`python -m benchmarks.relay FROM TO MILLISECONDS`: both are paths of Unix sockets.
"""

import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

_SIZE = 65536


def main(here: str, there: str, milliseconds: str) -> None:
    """Pass on every connection to ``here``, until the process is stopped."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(here)
        door.listen(64)
        while True:
            client, _ = door.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(there)
            late: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
            _start(_pass_on, client, server)
            _start(_note, server, late, float(milliseconds) / 1000)
            _start(_answer, late, client)


def _start(work: Callable[..., None], *given: object) -> None:
    threading.Thread(target=work, args=given, daemon=True).start()


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    with suppress(OSError):
        while data := client.recv(_SIZE):
            server.sendall(data)
    # Also where the client was killed: the server would keep a connection for nobody, and has few of them.
    with suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)


def _note(server: socket.socket, late: "SimpleQueue[tuple[float, bytes]]", seconds: float) -> None:
    data = b"-"
    while data:
        try:
            data = server.recv(_SIZE)
        except OSError:
            data = b""
        late.put((time.monotonic() + seconds, data))


def _answer(late: "SimpleQueue[tuple[float, bytes]]", client: socket.socket) -> None:
    with suppress(OSError), client:
        while True:
            due, data = late.get()
            if not data:
                return
            time.sleep(max(due - time.monotonic(), 0))
            client.sendall(data)


if __name__ == "__main__":
    main(*sys.argv[1:])
