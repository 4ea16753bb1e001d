"""Reads from a streaming replica of PostgreSQL: perhaps a moment old, never older than what the reader saw.

What somebody has seen is a place in the database's log (an LSN, `0/1A2B3C`). After a write they are told the
primary's; with it the replica can say whether it has come so far.
"""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from server.database import Database
from server.isolation import Whose
from server.postgresql.limits import Limits
from server.postgresql.rerun import Elsewhere

log = logging.getLogger(__name__)

# For so many seconds one that failed is not asked again.
REST = 5.0
# Nobody waits long for what the primary could answer.
CONNECT = 1
# Nor for a statement on it: one that is frozen says nothing to anybody.
STATEMENT = 5
# One that was promoted has a log of its own: it is no replica any more.
_HOW_FAR = text("SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() >= CAST(:seen AS pg_lsn)")
NOWHERE = "FFFFFFFF/FFFFFFFF"
_HERE = text("SELECT pg_current_wal_insert_lsn()")


@dataclass
class Replica:
    """One replica, and the primary that stands in for it."""

    database: Database
    primary: Database
    rests_until: float = 0.0

    @contextmanager
    def read(self, seen: str, whose: Whose) -> Iterator[Session]:
        """Open a reading transaction that sees what ``seen`` names, on the primary where need be.

        ``whose``: whose rows it is for.

        Raises `Elsewhere` where the replica fails under way: the same again goes to the primary.
        """
        with ExitStack() as stack:
            session = self._ahead(stack, seen, whose)
            if session is None:
                yield stack.enter_context(self.primary.read(whose))
                return
            try:
                yield session
            except DBAPIError as error:
                self._rest(error)
                raise Elsewhere(None, None, error.orig or error) from error

    def place(self) -> str:
        """Return where the primary's log is: behind everything that was committed so far.

        Where it can't be asked any more, a place that no replica ever comes to.
        """
        try:
            with self.primary.engine.connect() as connection:
                return str(connection.execute(_HERE).scalar_one())
        except (DBAPIError, PoolTimeout):
            return NOWHERE

    def close(self) -> None:
        """Give back every connection to the replica."""
        self.database.close()

    def _ahead(self, stack: ExitStack, seen: str, whose: Whose) -> Session | None:
        """Return a transaction on the replica where it is there and has come far enough."""
        if monotonic() < self.rests_until:
            return None
        try:
            # Asked apart: it never goes back, and the transaction is all the reader's.
            with self.database.engine.connect() as connection, _briefly(connection):
                follows, has_seen = connection.execute(_HOW_FAR, {"seen": seen}).one()
        except (DBAPIError, PoolTimeout) as error:
            self._rest(error)
            return None
        return stack.enter_context(self.database.read(whose)) if follows and has_seen else None

    def _rest(self, error: Exception) -> None:
        log.warning("the replica is not used for a while: %s", type(getattr(error, "orig", error)).__name__)
        self.rests_until = monotonic() + REST


def replica_of(primary: Database, url: str, limits: Limits) -> Replica | None:
    """Return the replica at ``url``; None where that is empty, or there is no PostgreSQL to follow."""
    if not url or primary.is_sqlite:
        return None
    hurried = replace(limits, connect=CONNECT, wait=CONNECT, statement=min(limits.statement, STATEMENT))
    return Replica(Database(url, primary.masters, hurried), primary)


def _briefly(connection: Connection) -> AbstractContextManager[None]:
    """Let answers on ``connection`` be waited for as long as connecting is."""
    # Imported late: an embedded database has no driver.
    from server.postgresql.patience import waiting_for

    driver: Any = connection.connection.driver_connection
    return waiting_for(driver, CONNECT)
