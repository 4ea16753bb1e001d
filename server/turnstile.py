"""A few requests work at once; the others stand in line for a while, and are then told to come again.

Without it, as many requests as the server has threads could hold everything up: each waits for a row, a slow
client or the database, and nobody behind them hears anything.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Any

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

# In the environment of a request that is not let in: the application has to turn it away.
TURNED_AWAY = "afterglow.turned_away"
# Whether the process is there is answered whoever works or waits.
ALIVE = "/livez"


class Turnstile:
    """A WSGI application before ``app``: ``places`` for requests that work, ``line`` for those that wait.

    Who stood in line for ``seconds``, or comes when it is full or has not moved for so long, is passed on
    under the mark `TURNED_AWAY`. First come, first served.
    """

    def __init__(self, app: Wsgi, places: int, line: int, seconds: float) -> None:
        self._app, self._seconds, self._longest = app, seconds, line
        self._free = places
        self._line: deque[threading.Event] = deque()
        self._moved = monotonic()
        # Again by the same thread: an answer that nobody knows any more may be found gone at any moment.
        self._lock = threading.RLock()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        """Answer a request."""
        if environ.get("PATH_INFO") == ALIVE:
            return self._app(environ, start)
        if not self._enter():
            environ[TURNED_AWAY] = True
            return self._app(environ, start)
        try:
            answer = self._app(environ, start)
        except BaseException:
            self._leave()
            raise
        return _Answer(answer, self._leave)

    def _enter(self) -> bool:
        """Return whether there was a place in time; then it is taken."""
        with self._lock:
            if self._free:
                self._free -= 1
                self._moved = monotonic()
                return True
            if len(self._line) >= self._longest or monotonic() - self._moved > self._seconds:
                return False
            turn = threading.Event()
            self._line.append(turn)
        return turn.wait(self._seconds) or not self._gives_up(turn)

    def _gives_up(self, turn: threading.Event) -> bool:
        with self._lock:
            if turn.is_set():
                return False  # called at the last moment
            self._line.remove(turn)
            return True

    def _leave(self) -> None:
        with self._lock:
            self._moved = monotonic()
            if self._line:
                self._line.popleft().set()  # the place is handed on, so nobody can slip in between
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
