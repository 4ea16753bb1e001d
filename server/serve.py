"""The API's process: granian around the WSGI application."""

import logging
import os
import signal
import sys
import threading
import time
from contextlib import closing
from typing import Any

from flask.helpers import get_debug_flag
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer
from sqlalchemy.exc import DBAPIError

from server import logs, memory, service_manager
from server.database import Database
from server.environment import read_settings
from server.hang_up import on_hang_up
from server.settings import Settings, SettingsError
from server.turnstile import ASIDE, Turnstile, Wsgi

# One process is bound by one interpreter, and more requests at once only fight for it (measured): in an
# embedded database nobody waits for long; on PostgreSQL one of two waits for the server.
EMBEDDED, NEAR, MOST = 1, 2, 8
# The further away the server is, the longer: one more for so many seconds that the way there and back takes.
SECONDS_A_PLACE = 0.0004
# Together with those who are in for long because they wait for something.
THREADS = 4
# So many more wait for their turn, each in a thread that costs its stack: about as many as there is time for
# until they are told to come again. As many as are spare tell everybody else, and that we are there.
LINE, SPARE = 220, 32
# Seconds that running requests get to finish after a signal to stop.
GRACE = 5
# Seconds until the head of a request must be there, or the next one on a connection that is kept open.
HEAD_SECONDS = 30


def application() -> Turnstile:
    """Return the application of this environment; granian calls it before it listens."""
    memory.begin()
    # Imported after that: what it makes lies in the one heap of this process.
    from server.app import be_seen, create_app

    try:
        settings = read_settings(os.environ)
        logs.set_up(settings.log)
        made = create_app(settings)
        app = before(made, settings)
        be_seen(made)
    except SettingsError as error:
        # What a person can mend is one line, here too: the server would print the whole way to it.
        raise SystemExit(f"Error: {error}") from None
    memory.settle()
    return app


def before(app: Wsgi, settings: Settings) -> Turnstile:
    """Return what lets requests through to ``app``."""
    at_once = settings.requests_at_once or _best(settings)
    return Turnstile(app, at_once, LINE, settings.database_wait_seconds, max(THREADS - at_once, 0))


def threads(at_once: int) -> int:
    """Return in how many threads the server has requests worked on or waiting: ``at_once`` work, if said."""
    return max(at_once, MOST) + ASIDE + LINE + SPARE


def _best(settings: Settings) -> int:
    with closing(Database(settings.sqlalchemy_url, limits=settings.limits)) as database:
        return places(database)


def places(database: Database) -> int:
    """Return how many requests are best worked on at once, with ``database`` as far away as it is."""
    if database.is_sqlite:
        return EMBEDDED
    # Imported late: an embedded database needs no driver.
    from server.postgresql.distance import round_trip

    try:
        trip = round_trip(database.engine)
    except DBAPIError:
        return NEAR  # it is away: nobody gets far
    return min(NEAR + int(trip / SECONDS_A_PLACE), MOST)


def serve(settings: Settings) -> None:
    """Answer requests until SIGINT or SIGTERM, which end it after the running requests.

    Raises SettingsError at once for the framework's debugging mode in production.
    """
    if get_debug_flag() and settings.environment == "production":
        raise SettingsError("FLASK_DEBUG must not be set in production")
    logging.getLogger("_granian").addFilter(_is_no_advice)
    _Alone(
        "server.serve:application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=threads(settings.requests_at_once),
        factory=True,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000),
        log_level=LogLevels.warning,
    ).serve()


class _Alone(MPServer):
    """granian in one process: what it would start as a child of its own is run here.

    A process that does nothing but mind another one holds as much memory as the half of the house. Whoever
    started this one minds it already: a service manager, `afterglow up`.
    """

    def _serve(self, spawn_target: Any, target_loader: Any) -> None:
        own: Any = self  # these carry no types
        own._init_shared_socket()
        worker = own._spawn_worker(0, spawn_target, target_loader)
        # Somebody who wants its settings read anew: it ends as after any signal, and is started again.
        on_hang_up(lambda *_: signal.raise_signal(signal.SIGTERM))
        _stop_in_time()
        service_manager.tell_ready_when_answering(own.bind_addr, own.bind_port)
        worker.inner.run()
        # As its child would end: threads of its own may still wait for something, and nothing is left to do.
        sys.stderr.flush()
        os._exit(0)


def _stop_in_time() -> None:
    """End this process `GRACE` seconds after the first signal to stop, whatever still runs then."""
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    threading.Thread(target=_end_after_signal, args=(heard,), daemon=True, name="grace").start()


def _end_after_signal(heard: int) -> None:
    os.read(heard, 1)
    time.sleep(GRACE)
    os._exit(0)


def _is_no_advice(record: logging.LogRecord) -> bool:
    # It finds our threads many for the processors; nearly all of them only wait in line.
    return not str(record.msg).startswith("Configuration allows spawning")
