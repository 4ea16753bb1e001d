"""The API's process: granian around the WSGI application."""

import os
import signal
import threading
import time

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from server.app import create_app
from server.settings import Settings, read_settings

# Few threads: one process is bound by one interpreter, and more only fight for it (measured).
THREADS = 4
# Seconds that running requests get to finish after a signal to stop.
GRACE = 5
# Seconds between two looks whether the parent process is still there.
PARENT_EVERY = 0.5


def application() -> Flask:
    """Return the application of this environment; granian calls it in its worker process."""
    end_with(os.getppid())
    return create_app(read_settings(os.environ))


def end_with(parent: int) -> None:
    """End this process soon after ``parent`` has ended, even where that was killed and said nothing.

    A worker that outlives its parent would keep the port, and no new server could start.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True, name="parent-watch").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_EVERY)
    os.kill(os.getpid(), signal.SIGKILL)


def serve(settings: Settings) -> None:
    """Answer requests until SIGINT or SIGTERM, which end it after the running requests."""
    Granian(
        "server.serve:application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        workers_kill_timeout=GRACE,
        factory=True,
        log_level=LogLevels.warning,
    ).serve()
