"""A server that does not answer is given up, also where the network takes all that is said to it.

The server ends a statement that takes too long; where it is frozen, or nothing of it comes through, nobody
would ever tell whoever waits. TCP notices only where nothing is acknowledged, and what stands in between (a
pooler, a tunnel) may go on doing so.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

R = TypeVar("R")


class Connection(psycopg.Connection[Any]):
    """One that waits for an answer for ``patience`` seconds, then closes itself and raises OperationalError.

    None: it waits as long as it takes.
    """

    patience: float | None = None

    def wait(self, gen: Generator[Any, Any, R], *args: Any, **kwargs: Any) -> R:
        """Wait until ``gen`` has what it asks for: every statement comes through here."""
        if self.patience is not None:
            gen = self._within(gen, self.patience)
        return super().wait(gen, *args, **kwargs)

    def rollback(self) -> None:
        """Take back what is open.

        The driver forgets what it has prepared whenever something is taken back, as every reading is at its
        end. Where nothing has failed that holds as before: made unaware, it keeps it.
        """
        if self.info.transaction_status != TransactionStatus.INTRANS:
            super().rollback()
            return
        known, self.prepare_threshold = self.prepare_threshold, None
        try:
            self.execute("ROLLBACK")
        finally:
            self.prepare_threshold = known

    def _within(self, gen: Generator[Any, Any, R], seconds: float) -> Generator[Any, Any, R]:
        until = monotonic() + seconds
        try:
            wanted = next(gen)
            while True:
                wanted = gen.send(self._in_time((yield wanted), until))
        except StopIteration as end:
            found: R = end.value
            return found

    def _in_time(self, ready: Any, until: float) -> Any:
        if ready or monotonic() <= until:
            return ready
        self.close()  # what may still come would be taken for the answer to something else
        raise psycopg.OperationalError("the server does not answer")


def connecting(seconds: float) -> Callable[..., Connection]:
    """Return how an engine connects so that no answer is waited for longer: a listener to `do_connect`."""

    def connect(_dialect: Any, _record: Any, args: Any, parameters: Any) -> Connection:
        connection = Connection.connect(*args, **parameters)
        connection.patience = seconds
        return connection

    return connect


@contextmanager
def waiting_for(connection: Connection, seconds: float | None) -> Iterator[None]:
    """Let answers meanwhile be waited for so long; None: as long as it takes."""
    before, connection.patience = connection.patience, seconds
    try:
        yield
    finally:
        connection.patience = before
