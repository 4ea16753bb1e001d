"""A few requests work at once; the others stand in line for a while, and are then told to come again.

Without it, as many requests as the server has threads could hold everything up: each waits for a row, a slow
client or the database, and nobody behind them hears anything. Nor do more requests that work get more done:
they only take the interpreter out of each other's hands.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from time import monotonic, perf_counter
from typing import Any

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

# In the environment of a request: when it came, before it stood in line.
ARRIVED = "afterglow.arrived"
# Of one that is not let in: the application has to turn it away.
TURNED_AWAY = "afterglow.turned_away"
# And of one that is: what gives its place to the next.
_STEP_ASIDE = "afterglow.step_aside"
# So many may have stepped aside at once: where what they wait for stands still, there must be an end.
ASIDE = 32
# Whether the process is there is answered whoever works or waits.
ALIVE = "/livez"
# Seconds after which a request is taken to wait for something, and not to work: the next one may come in.
LONG = 0.1


def step_aside(environ: Mapping[str, Any]) -> None:
    """Give the place of the request of ``environ`` to the next: all that is left is to wait, and to answer.

    Without a turnstile, or where too many have done so, nothing happens.
    """
    environ.get(_STEP_ASIDE, lambda: None)()


def arrived(environ: Mapping[str, Any]) -> float:
    """Return when the request of ``environ`` came, by `perf_counter`: now where there is no turnstile."""
    found: float = environ.get(ARRIVED, perf_counter())
    return found


class Turnstile:
    """A WSGI application before ``app``: ``places`` for requests that work, ``line`` for those that wait.

    ``more``: so many of those inside for `LONG` need no place any more. Who stood in line for ``seconds``, or
    comes when it is full or has not moved for so long, is passed on under the mark `TURNED_AWAY`. First come,
    first served.
    """

    def __init__(self, app: Wsgi, places: int, line: int, seconds: float, more: int = 0) -> None:
        self._app, self._seconds, self._longest = app, seconds, line
        self._free, self._more = places, more
        # Those who have a place, and since when, the first who came in first.
        self._working: dict[threading.Event, float] = {}
        self._line: deque[threading.Event] = deque()
        # Those who have given theirs away, and have not left yet.
        self._aside: set[threading.Event] = set()
        self._moved = monotonic()
        # Again by the same thread: an answer that nobody knows any more may be found gone at any moment.
        self._lock = threading.RLock()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        """Answer a request."""
        if environ.get("PATH_INFO") == ALIVE:
            return self._app(environ, start)
        environ[ARRIVED] = perf_counter()
        turn = threading.Event()
        if not self._enters(turn):
            environ[TURNED_AWAY] = True
            return self._app(environ, start)
        leave = partial(self._leave, turn)
        environ[_STEP_ASIDE] = partial(self._step_aside, turn)
        try:
            answer = self._app(environ, start)
        except BaseException:
            leave()
            raise
        return _Answer(answer, leave)

    def _enters(self, turn: threading.Event) -> bool:
        """Return whether there was a place in time; then it is taken."""
        with self._lock:
            self._make_room()
            if self._free:
                self._free -= 1
                self._let_in(turn)
                return True
            if len(self._line) >= self._longest or monotonic() - self._moved > self._seconds:
                return False
            self._line.append(turn)
        return self._gets_in(turn) or not self._gives_up(turn)

    def _gets_in(self, turn: threading.Event) -> bool:
        """Wait until it is one's turn, and see meanwhile whether those inside still work."""
        until = monotonic() + self._seconds
        while (left := until - monotonic()) > 0:
            if turn.wait(min(left, self._until_a_look(turn))):
                return True
            with self._lock:
                self._make_room()
        return False

    def _until_a_look(self, turn: threading.Event) -> float:
        """Return in how many seconds to look: who is further behind looks less often."""
        with self._lock:
            return LONG * (self._line.index(turn) + 1) if turn in self._line else LONG

    def _make_room(self) -> None:
        """Take the places of those who are in for long; they finish without. Called under the lock."""
        for turn, since in list(self._working.items()):
            if not self._more or monotonic() - since < LONG:
                return
            if self._working.pop(turn, None) is not None:  # an answer that nobody knows any more may go now
                self._more -= 1
                self._hand_on()

    def _let_in(self, turn: threading.Event) -> None:
        self._moved = self._working[turn] = monotonic()
        turn.set()

    def _gives_up(self, turn: threading.Event) -> bool:
        with self._lock:
            if turn.is_set():
                return False  # called at the last moment
            self._line.remove(turn)
            return True

    def _step_aside(self, turn: threading.Event) -> None:
        with self._lock:
            if len(self._aside) < ASIDE and self._working.pop(turn, None) is not None:
                self._aside.add(turn)
                self._hand_on()

    def _leave(self, turn: threading.Event) -> None:
        with self._lock:
            self._moved = monotonic()
            if turn in self._aside:
                self._aside.remove(turn)
            elif self._working.pop(turn, None) is None:
                self._more += 1  # whoever came in instead has the place
            else:
                self._hand_on()

    def _hand_on(self) -> None:
        if self._line:
            self._let_in(self._line.popleft())  # so nobody can slip in between
        else:
            self._free += 1


class _Answer:
    """An answer on its way out. Its request has its place until it is closed, or nobody knows it any more."""

    def __init__(self, answer: Iterable[bytes], leave: Callable[[], None]) -> None:
        self._answer, self._leave = answer, leave
        self._pieces = iter(answer)
        self._once = threading.Lock()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Close the answer and give its place back, once."""
        if not self._once.acquire(blocking=False):
            return
        try:
            getattr(self._answer, "close", lambda: None)()
        finally:
            self._leave()

    def __del__(self) -> None:
        self.close()
