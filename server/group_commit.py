"""Group commit: what several threads write at about the same time, one of them writes in one transaction.

A durable commit waits for the disk, and an embedded database has one writer. Who comes while one commits goes
with the next, all together; nobody waits for company.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class _Part(Generic[T]):
    """What one thread brought: it is done, or it is this thread's turn to write for all who wait."""

    __slots__ = ("failed", "leads", "turn", "what")

    def __init__(self, what: T) -> None:
        self.what, self.turn = what, threading.Event()
        self.leads = self.failed = False

    def end(self, failed: bool) -> None:
        """Let its thread go on."""
        self.failed = failed
        self.turn.set()


class GroupCommit(Generic[T]):
    """What is written together, by whoever comes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Part[T]] = []
        self._busy = False

    def add(self, what: T, write: Callable[[Sequence[T]], None]) -> None:
        """Return once ``what`` is written; raises what ``write`` raises.

        ``write`` writes one or more such, durably, all of them or none; all who come bring the same one.
        Where it fails for several, each writes alone, and hears what is wrong with their own.
        """
        part = _Part(what)
        if not self._leads(part):
            part.turn.wait()
        if part.leads:
            self._lead(write)
        if part.failed:
            write([what])

    def _leads(self, part: _Part[T]) -> bool:
        with self._lock:
            self._waiting.append(part)
            part.leads, self._busy = not self._busy, True
            return part.leads

    def _lead(self, write: Callable[[Sequence[T]], None]) -> None:
        with self._lock:
            group, self._waiting = self._waiting, []
        failed = True
        try:
            write([part.what for part in group])
            failed = False
        except Exception:
            if len(group) == 1:
                raise  # there is nobody else it could be about
        finally:
            self._hand_on()
            for part in group:
                part.end(failed)

    def _hand_on(self) -> None:
        """Let the first of those who came meanwhile write, for all of them."""
        with self._lock:
            self._busy = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].turn.set()
