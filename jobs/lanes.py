"""One lane a far end: what is slow or away holds up its own lane and no other."""

import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


def _narrow(_kind: str) -> int:
    return 1


class Lanes(Generic[T]):
    """Works through things lane by lane: in order inside a lane, all lanes at once, up to ``most`` of a kind.

    The first word of a lane's name is its kind. ``work`` is called in threads of the lane's own and must
    not raise. Beyond ``most`` threads of a kind, new ones wait until one is done; other kinds do not.
    ``width``: how many things of a lane of some kind are in hand at once; where more than one, they are
    begun in order.
    """

    def __init__(
        self, work: Callable[[str, T], None], most: int, width: Callable[[str], int] = _narrow
    ) -> None:
        self._work = work
        self._queued: dict[str, deque[T]] = {}
        self._in_hand: Counter[str] = Counter()
        self._hands: Counter[str] = Counter()
        self._most, self._width = most, width
        self._threads: dict[str, threading.BoundedSemaphore] = {}
        self._changed = threading.Condition()

    def add(self, lane: str, thing: T) -> None:
        """Put ``thing`` at the end of ``lane`` and start the lane where it stands still."""
        with self._changed:
            self._queued.setdefault(lane, deque()).append(thing)
            another = self._hands[lane] < self._width(_kind(lane))
            self._hands[lane] += another
        if another:
            threading.Thread(target=self._run, args=(lane,), name=f"lane {lane}", daemon=True).start()

    def waiting(self) -> dict[str, int]:
        """Return how many things wait or are being worked on, by lane."""
        with self._changed:
            return {lane: len(things) + self._in_hand[lane] for lane, things in self._queued.items()}

    def full(self) -> set[str]:
        """Return the kinds of which as many lanes are busy as may be."""
        kinds = Counter(_kind(lane) for lane in self.waiting())
        return {kind for kind, busy in kinds.items() if busy >= self._most}

    def wait(self, seconds: float) -> bool:
        """Wait until some lane has got on, at the most ``seconds``; return whether any was busy."""
        with self._changed:
            busy = bool(self._queued)
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
            things = self._queued.get(lane)
            if not things:
                self._hands[lane] -= 1
                return False
            thing = things.popleft()
            self._in_hand[lane] += 1
        self._work(lane, thing)
        with self._changed:
            self._in_hand[lane] -= 1
            if not self._queued[lane] and not self._in_hand[lane]:
                del self._queued[lane]
            self._changed.notify_all()
        return True


def _kind(lane: str) -> str:
    return lane.partition(" ")[0]
