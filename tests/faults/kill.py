"""Death at a chosen step: from then on nothing that was under way reaches the database or a far end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import event

from server.database import Database
from server.gateways.message import Message, Receipt, RecordingGateway

_WRITES = ("INSERT", "UPDATE", "DELETE")


class Killed(Exception):
    """The process is gone."""


@dataclass
class Fault:
    """Strikes at step number ``at`` (from 1). A step is a write, a commit, or one side of a sending."""

    at: int = 1_000_000
    steps: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def struck(self) -> bool:
        """Whether it came so far."""
        return self.steps >= self.at

    def strike(self) -> None:
        """Strike now: the step in hand was the last one."""
        self.at = self.steps

    def step(self, *_: Any) -> None:
        """Live one step more, or not."""
        with self.lock:
            self.steps += not self.struck
            if self.struck:
                raise Killed


@dataclass
class MortalGateway(RecordingGateway):
    """A twin whose process may die just before the far end has a message, or just after.

    ``dies``: it does, "before" or "after" the first one (to ``of``, where that is said).
    """

    fault: Fault = field(default_factory=Fault)
    dies: str = ""
    of: str = ""

    def send(self, message: Message) -> Receipt:
        """Hand it over."""
        self._step("before", message.to)
        receipt = super().send(message)
        self._step("after", message.to)
        return receipt

    def _step(self, side: str, to: str) -> None:
        if self.dies == side and self.of in ("", to):
            self.fault.strike()
        self.fault.step()


@contextmanager
def under(fault: Fault, database: Database) -> Iterator[None]:
    """Let what is done to ``database`` meanwhile be done by a process that ``fault`` kills."""

    def writes(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(_WRITES):
            fault.step()

    event.listen(database.engine, "before_cursor_execute", writes)
    event.listen(database.engine, "commit", fault.step)
    try:
        yield
    finally:
        # A thread of the dead must not go on working once the others are let live.
        for thread in threading.enumerate():
            if thread.name.startswith("lane "):
                thread.join(10)
        event.remove(database.engine, "before_cursor_execute", writes)
        event.remove(database.engine, "commit", fault.step)


def every_death(life: Callable[[Fault], None]) -> int:
    """Live ``life`` again and again, killed one step later each time; return how many deaths it died."""
    for at in count(1):
        fault = Fault(at)
        life(fault)
        if not fault.struck:
            return at - 1
    raise AssertionError("unreachable")
