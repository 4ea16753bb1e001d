"""A patient leaves while somebody else is at work: what tests of that begin with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from jobs import erase
from jobs.around import Around
from server.isolation import Extent
from server.services.people import erasure as erasures
from server.services.work import Actor, Work, system
from tests.cast import Person
from tests.conftest import Clock


@dataclass(frozen=True)
class Leaving:
    """The patient who leaves, and what they leave."""

    around: Around
    clock: Clock
    person: Person

    @property
    def id(self) -> UUID:
        """Who leaves."""
        assert self.person.patient_id is not None
        return self.person.patient_id

    @contextmanager
    def beside(self, actor: Actor | None = None) -> Iterator[Work]:
        """Work in a transaction that has no patience; of nobody in particular without ``actor``."""
        with self.around.database.write(Extent.ALL) as session:
            if not self.around.database.is_sqlite:
                session.execute(text("SET LOCAL lock_timeout = 300"))
            yield Work(session, self.clock.now, actor or system(self.person.clinic_id))

    def begin(self) -> None:
        """Confirm the erasure; its job has not run."""
        with self.beside() as work:
            erasures.run_out(work, self.id)

    def end(self) -> None:
        """Erase them, although no system was given the time to hear of it."""
        with self.beside() as work:
            erasures.again(work, self.id)
        assert erase.run(self.around, self.clock.now) == 1

    def waits(self) -> None:
        """Make sure that the erasure can't begin now."""
        with pytest.raises(OperationalError, match="lock timeout"):
            self.begin()
