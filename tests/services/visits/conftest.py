"""A clinic whose scheduling system is connected, and what a system can say."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from server.clinical.visit import Seen
from server.clinical.vocabulary import ConnectionKind, PeerStatus
from server.database import Database
from server.models import BookingSuggestion, ReviewTask, SchedulingCopy
from server.services import vault
from server.services.visits import copy_outcome, scheduling_connection, scheduling_copy
from server.services.visits.copy_outcome import Heard, Unheard
from server.services.visits.scheduling_connection import System
from server.services.visits.scheduling_copy import ClaimedCopy
from server.services.work import Work, system
from tests.cast import Cast
from tests.conftest import Clock
from tests.visits import Visits

LEASE = timedelta(minutes=5)


@dataclass
class Desk:
    """Ana's approved suggestion and its copy in the clinic's system."""

    database: Database
    clock: Clock
    cast: Cast
    visits: Visits
    suggestion: str = ""

    def work(self, session: Any) -> Work:
        return Work(session, self.clock.now, system(self.cast.ana.clinic_id))

    def connect(self, kind: ConnectionKind = ConnectionKind.HTTP) -> UUID:
        """Connect a system; return the connection's id."""
        with self.database.write() as session:
            made = scheduling_connection.create(self.work(session), System(kind, "Desk", {}, {}))
            return made.connection.id

    def approve(self) -> None:
        """Let a suggestion of Ana's go out."""
        self.suggestion = self.visits.approved()

    def claim(self) -> ClaimedCopy:
        """Take the copy that is due."""
        with self.database.write() as session:
            (claimed,) = scheduling_copy.claim(session, self.clock.now, 5, LEASE)
            return claimed

    def nothing_is_due(self) -> bool:
        with self.database.read() as session:
            return not scheduling_copy.is_any_due(session, self.clock.now)

    def finish(self, claimed: ClaimedCopy, outcome: Heard | Unheard) -> bool:
        with self.database.write() as session:
            return copy_outcome.finish(session, self.clock.now, claimed, outcome)

    def hears(self, status: PeerStatus, told: bool = False, **parts: Any) -> None:
        """Let one round with the system take place: it says ``status``."""
        self.clock.forward(minutes=31)
        self.finish(self.claim(), Heard(Seen("there-1", status, **parts), told=told))

    def state(self) -> str:
        return str(self.row().state)

    def row(self) -> BookingSuggestion:
        with self.database.read() as session:
            return session.get_one(BookingSuggestion, (self.cast.ana.clinic_id, UUID(self.suggestion)))

    def copy(self) -> SchedulingCopy:
        with self.database.read() as session:
            return session.get_one(SchedulingCopy, (self.cast.ana.clinic_id, UUID(self.suggestion)))

    def tasks(self) -> list[str]:
        """Return the codes of what a person has to look at, oldest first."""
        with self.database.read() as session:
            rows = session.scalars(select(ReviewTask).order_by(ReviewTask.id))
            return [str(row.code) for row in vault.opened(self.work(session), list(rows))]


@pytest.fixture
def desk(app: Flask, database: Database, clock: Clock, cast: Cast, visits: Visits) -> Desk:
    """Ana's clinic with a connected system, and a suggestion that was approved."""
    made = Desk(database, clock, cast, visits)
    made.connect()
    made.approve()
    return made


Times = Callable[[float], datetime]


@pytest.fixture
def in_days(clock: Clock) -> Times:
    """A moment in so many days from the test's beginning."""
    begun = clock.now
    return lambda days: begun + timedelta(days=days)
