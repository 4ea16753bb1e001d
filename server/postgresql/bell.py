"""A bell that other processes ring through the database (LISTEN and NOTIFY), so that nobody keeps looking."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

log = logging.getLogger(__name__)

# How often a wish to stop is noticed, and how long a bell that can't ring is left alone, in seconds.
GLANCE, COME_BACK = 0.3, 2.0


class Bell:
    """Waiting for work: until it rings where it can ring, else for a while.

    It keeps one connection of its own, which must not lead through a pooler in transaction mode. While that
    connection is down, `wait` returns after ``brief`` seconds, and after ``long`` while it stands: a ring
    may be lost, never work.
    """

    def __init__(self, brief: float = 0.3, long: float = 2.0) -> None:
        self.brief, self.long = brief, long
        self.listening = False
        self._rung = threading.Event()

    def wait(self, stopping: threading.Event) -> None:
        """Return when it rings, when it is time to look all the same, or when ``stopping`` is set."""
        until = monotonic() + (self.long if self.listening else self.brief)
        while not stopping.is_set() and (left := until - monotonic()) > 0:
            if self._rung.wait(min(left, GLANCE)):
                break
        self._rung.clear()

    def ring(self) -> None:
        """Let whoever waits in this process go and look."""
        self._rung.set()

    @contextmanager
    def hung(self, url: str, reach: Mapping[str, Any], channel: str) -> Iterator[None]:
        """Listen to ``channel`` of the database at ``url`` meanwhile; ``reach``: how the driver connects."""
        down = threading.Event()
        thread = threading.Thread(
            target=self._listen, args=(_connecting(url, reach), channel, down), name="bell", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            down.set()
            thread.join(COME_BACK + GLANCE)

    def _listen(self, connect: Callable[[], Any], channel: str, down: threading.Event) -> None:
        while not down.is_set():
            try:
                self._hear(connect, channel, down)
            except psycopg.Error as error:
                log.warning("the bell is silent, so work is looked for instead: %s", type(error).__name__)
            self.listening = False
            down.wait(COME_BACK)

    def _hear(self, connect: Callable[[], Any], channel: str, down: threading.Event) -> None:
        with connect() as connection:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self.listening = True
            self.ring()  # it may have rung before we listened
            while not down.is_set():
                self._ring_for(connection.notifies(timeout=GLANCE, stop_after=1))

    def _ring_for(self, heard: Iterable[object]) -> None:
        for _ in heard:
            self.ring()


def _connecting(url: str, reach: Mapping[str, Any]) -> Callable[[], Any]:
    address = make_url(url)
    dialect: Any = address.get_dialect()
    _, given = dialect().create_connect_args(address)
    options = {**given, **reach, "application_name": "afterglow bell"}
    return lambda: psycopg.connect(**options, autocommit=True)
