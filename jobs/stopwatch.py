"""Time that goes on while a long run is under way, without asking the clock again."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta


def _since_boot() -> float:
    """Return seconds that go on while the machine sleeps: a lease does."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_seconds: Callable[[], float] = _since_boot if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


class Stopwatch:
    """Starts at ``now``; a step of the machine's clock in between changes nothing."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._started = _seconds()

    def moment(self) -> datetime:
        """Return ``now`` plus what has passed since."""
        return self._now + timedelta(seconds=_seconds() - self._started)
