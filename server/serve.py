"""The API's process: granian around the WSGI application."""

import logging
import os
import signal

from flask.helpers import get_debug_flag
from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from server import logs, memory
from server.environment import read_settings
from server.parent import end_with
from server.settings import Settings, SettingsError
from server.turnstile import Turnstile

# Few requests work at once: one process is bound by one interpreter, and more only fight for it (measured).
THREADS = 4
# So many more wait for their turn, each in a thread that costs its stack: about as many as there is time for
# until they are told to come again. As many as are spare tell everybody else, and that we are there.
LINE, SPARE = 220, 32
# Seconds that running requests get to finish after a signal to stop.
GRACE = 5
# Seconds until the head of a request must be there, or the next one on a connection that is kept open.
HEAD_SECONDS = 30


def application() -> Turnstile:
    """Return the application of this environment; granian calls it in its worker process."""
    memory.begin()
    # Imported here: the process that only minds this one needs nothing of the house.
    from server.app import create_app

    end_with(os.getppid(), signal.SIGKILL)
    try:
        settings = read_settings(os.environ)
        logs.set_up(settings.log)
        app = Turnstile(create_app(settings), THREADS, LINE, settings.database_wait_seconds)
    except SettingsError as error:
        # What a person can mend is one line, here too: the server would print the whole way to it.
        raise SystemExit(f"Error: {error}") from None
    memory.settle()
    return app


def serve(settings: Settings) -> None:
    """Answer requests until SIGINT or SIGTERM, which end it after the running requests.

    Raises SettingsError at once for the framework's debugging mode in production.
    """
    if get_debug_flag() and settings.environment == "production":
        raise SettingsError("FLASK_DEBUG must not be set in production")
    logging.getLogger("_granian").addFilter(_is_no_advice)
    Granian(
        "server.serve:application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS + LINE + SPARE,
        workers_kill_timeout=GRACE,
        factory=True,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000),
        log_level=LogLevels.warning,
    ).serve()


def _is_no_advice(record: logging.LogRecord) -> bool:
    # It finds our threads many for the processors; nearly all of them only wait in line.
    return not str(record.msg).startswith("Configuration allows spawning")
