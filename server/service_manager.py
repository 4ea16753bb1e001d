"""What the service manager hears of this process (systemd, `Type=notify`): that it does its work from now on.

So `systemctl restart` comes back when it does, and the next one of a row can be restarted without a gap.
"""

import os
import socket
import threading
import time

# Who is told, where anybody asked; no child of this process is asked, too.
_WHERE = "NOTIFY_SOCKET"
_LOOK_SECONDS = 0.05


def tell_ready() -> None:
    """Say that this process works. Where nobody asked, nothing happens."""
    address = os.environ.pop(_WHERE, "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
        # A name that begins with @ is none of a file (unix(7), "abstract").
        way.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        way.sendall(b"READY=1")


def tell_ready_when_answering(host: str, port: int) -> None:
    """Say so as soon as somebody listens on ``port`` of ``host``: looked for meanwhile, in a thread."""
    if _WHERE in os.environ:
        threading.Thread(target=_wait, args=(host, port), daemon=True, name="ready").start()


def _wait(host: str, port: int) -> None:
    while not _answers(host, port):
        time.sleep(_LOOK_SECONDS)
    tell_ready()


def _answers(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        return probe.connect_ex((host, port)) == 0
