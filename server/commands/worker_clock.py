"""The clock of a job runner: the database's where that is a server, so that a lease is as long everywhere."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from server.database import Database
from server.postgresql.moment import moment

log = logging.getLogger(__name__)

# Less is what a network and a busy machine make of two clocks that agree.
NOTABLE = timedelta(seconds=2)


class WorkerClock:
    """Tells the time; ``own``: the machine's clock, which embedded SQLite lives by."""

    def __init__(self, database: Database, own: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database, self._own = database, own
        self._apart = False

    def __call__(self) -> datetime:
        """Return the time, aware; raises DBAPIError where the database is away."""
        if self._database.is_sqlite:
            return self._own()
        theirs = moment(self._database.engine)
        self._compare(abs(theirs - self._own()))
        return theirs

    def _compare(self, apart: timedelta) -> None:
        was, self._apart = self._apart, apart > NOTABLE
        if self._apart and not was:
            log.warning("this machine's clock and the database's are %.0f s apart", apart.total_seconds())
