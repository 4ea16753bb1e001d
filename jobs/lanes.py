"""One lane a far end: what is slow or away holds up its own lane and no other."""

import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Works through things lane by lane: in order inside a lane, all lanes at once, up to ``most`` of a kind.

    The first word of a lane's name is its kind. ``work`` is called in a thread of the lane's own and must
    not raise. Beyond ``most`` lanes of a kind, new ones wait until one is done; other kinds do not.
    """

    def __init__(self, work: Callable[[str, T], None], most: int) -> None:
        self._work = work
        self._waiting: dict[str, deque[T]] = {}
        self._most = most
        self._threads: dict[str, threading.BoundedSemaphore] = {}
        self._changed = threading.Condition()

    def add(self, lane: str, thing: T) -> None:
        """Put ``thing`` at the end of ``lane`` and start the lane where it stands still."""
        with self._changed:
            running = lane in self._waiting
            self._waiting.setdefault(lane, deque()).append(thing)
        if not running:
            threading.Thread(target=self._run, args=(lane,), name=f"lane {lane}", daemon=True).start()

    def waiting(self) -> dict[str, int]:
        """Return how many things wait or are being worked on, by lane."""
        with self._changed:
            return {lane: len(things) for lane, things in self._waiting.items()}

    def full(self) -> set[str]:
        """Return the kinds of which as many lanes are busy as may be."""
        kinds = Counter(_kind(lane) for lane in self.waiting())
        return {kind for kind, busy in kinds.items() if busy >= self._most}

    def wait(self, seconds: float) -> bool:
        """Wait until some lane has got on, at the most ``seconds``; return whether any was busy."""
        with self._changed:
            busy = bool(self._waiting)
            if busy:
                self._changed.wait(seconds)
            return busy

    def finish(self) -> None:
        """Wait until every lane is done."""
        while self.wait(1.0):
            pass

    def _run(self, lane: str) -> None:
        with self._changed:
            threads = self._threads.setdefault(_kind(lane), threading.BoundedSemaphore(self._most))
        with threads:
            while self._one_more(lane):
                pass

    def _one_more(self, lane: str) -> bool:
        with self._changed:
            thing = self._waiting[lane][0]
        self._work(lane, thing)
        with self._changed:
            self._waiting[lane].popleft()
            left = bool(self._waiting[lane])
            if not left:
                del self._waiting[lane]
            self._changed.notify_all()
            return left


def _kind(lane: str) -> str:
    return lane.partition(" ")[0]
