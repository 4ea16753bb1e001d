"""Walks the chain of one clinic: some lines a transaction, for a long one would keep SQLite's log growing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from server.database import Database
from server.keys.sealing import SealError
from server.services.audit import verifying
from server.services.audit.verifying import Fault, Found, Walk
from server.services.work import Work, system


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain of one clinic, as it is looked at ``now``."""

    database: Database
    now: datetime
    clinic_id: UUID

    @contextmanager
    def work(self) -> Iterator[Work]:
        """Open a reading transaction for the clinic."""
        with self.database.read() as session:
            yield Work(session, self.now, system(self.clinic_id))

    def to_the_end(self, after: int = 0) -> Walk:
        """Walk from behind position ``after`` to the end, which must be one of ours."""
        walk = self._along(after)
        with self.work() as work:
            return replace(walk, found=verifying.ended(work, walk))

    def whole(self) -> Walk:
        """Walk from the beginning to the end, and look for rows that were put in behind the chain's back."""
        walk = self.to_the_end()
        with self.work() as work:
            return replace(walk, found=walk.found or verifying.late(work))

    def between(self, after: int, until: int) -> Walk:
        """Walk from behind position ``after`` up to ``until``, all of which must be there."""
        walk = self._along(after, until)
        if walk.found is None and walk.end.position < until:
            return replace(walk, found=Found(Fault.MISSING, walk.end.position + 1))
        return walk

    def _along(self, after: int, until: int | None = None) -> Walk:
        with self.work() as work:
            walk, before = verifying.start(work, after), None
        while walk is not before and walk.end.position != until:
            with self.work() as work:
                walk, before = self._onward(work, walk, until), walk
        return walk

    @staticmethod
    def _onward(work: Work, walk: Walk, until: int | None) -> Walk:
        """Go on, or end where the clinic's key does not open: other clinics' logs are walked all the same."""
        try:
            return verifying.onward(work, walk, until)
        except SealError:
            return replace(walk, found=Found(Fault.UNPROVEN, walk.end.position + 1))
