"""Both processes under one command: started together, stopped together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address

from server.hang_up import on_hang_up
from server.settings import Settings

# The children get this long after the signal, then they are ended; the whole stop stays under 10 s.
GRACE_SECONDS = 8.0
READY_SECONDS = 30.0
_LOOK = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

Children = Mapping[str, "subprocess.Popen[bytes]"]


class Pair:
    """`serve` and `work` as child processes of this one.

    They run in sessions of their own, so Ctrl-C reaches only us and each is told to stop once. Where
    we are killed and can tell nobody, they end by themselves.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        for number in _SIGNALS:
            signal.signal(number, lambda *_: self._stop.set())
        on_hang_up(lambda *_: self._stop.set())
        self._children: Children = {name: _start(name) for name in ("serve", "work")}

    def wait_until_ready(self) -> str | None:
        """Wait until the API answers; return why it does not, or None.

        Being asked to stop, or a child that ended, is no reason: `wait` tells of those.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not self._stop.wait(_LOOK) and self.ended() is None:
            if _answers(self._settings):
                return None
            if time.monotonic() > deadline:
                return f"The API did not answer within {READY_SECONDS:.0f} s; everything is stopped."
        return None

    def wait(self) -> str | None:
        """Wait for a signal (None) or for a child to end by itself (its name)."""
        while not self._stop.wait(_LOOK):
            if (name := self.ended()) is not None:
                return name
        return None

    def runs(self) -> bool:
        """Return whether both run and nobody asked to stop."""
        return not self._stop.is_set() and self.ended() is None

    def ended(self) -> str | None:
        """Return the name of a child that has ended, or None."""
        return next((name for name, child in self._children.items() if child.poll() is not None), None)

    def stop(self) -> None:
        """End both and whatever they started. Returns within the grace period and a moment."""
        for child in self._children.values():
            child.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self._children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))
            # A child that died may have left its own children; one that hangs has had its time.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _start(name: str) -> "subprocess.Popen[bytes]":
    # Told whose it is: one that asks only once it is loaded may find us gone, and take another for us.
    words = [name, "--child", str(os.getpid())]
    return subprocess.Popen([sys.executable, "-m", "server.cli", *words], start_new_session=True)


def _answers(settings: Settings) -> bool:
    connection = HTTPConnection(_reachable(settings.host), settings.port, timeout=1.0)
    try:
        connection.request("GET", "/v1/status")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _reachable(host: str) -> str:
    """Return where a server that listens on ``host`` can be asked: "every address" is none to call."""
    try:
        return "localhost" if ip_address(host).is_unspecified else host
    except ValueError:
        return host
