"""Patients written several at a time, by several processes: each whole, in a transaction of their own.

Only PostgreSQL has many writers. An embedded database has one, and there this process does it all.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from jobs.problem import Problem
from jobs.replay_pool import Pool, pool
from server.database import Database
from server.services.people.passwords import Passwords
from server.settings import Settings, master_keys

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Desk:
    """What one process writes with."""

    database: Database
    passwords: Passwords


@dataclass(frozen=True, slots=True)
class Crew:
    """Who writes. Without ``workers`` it is this process, at its own ``desk``.

    ``workers`` come with the settings from which every process opens the same database for itself.
    """

    desk: Desk
    workers: tuple[Pool, Settings] | None = None

    def map(self, write: Callable[[Desk, T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Yield what ``write`` says of each of ``tasks``, in their order. Raises Problem as it does.

        ``write`` is a function of a module. Who stops asking leaves at most what was begun.
        """
        if self.workers is None:
            yield from (write(self.desk, task) for task in tasks)
            return
        workers, settings = self.workers
        try:
            yield from workers.map(partial(_elsewhere, settings, write), tasks)
        except BrokenProcessPool:
            raise Problem("A process that wrote has ended. Start it again: it goes on from there.") from None


@contextmanager
def crew(desk: Desk, settings: Settings, count: int | None = None) -> Iterator[Crew]:
    """Give a crew of ``count`` processes (None: one for each processor), where the database has room."""
    wanted = count or os.cpu_count() or 1
    if desk.database.is_sqlite or wanted == 1:
        yield Crew(desk)
        return
    with pool(wanted) as workers:
        yield Crew(desk, (workers, settings))


# This process's own desk where it is one of a crew: opened at its first task, for all of them.
_OWN: dict[str, Desk] = {}


def _elsewhere(settings: Settings, write: Callable[[Desk, T], R], task: T) -> R:
    url = settings.sqlalchemy_url
    if url not in _OWN:
        database = Database(url, master_keys(settings), settings.limits.unhurried())
        _OWN[url] = Desk(database, Passwords(settings.password_cost))
    return write(_OWN[url], task)
