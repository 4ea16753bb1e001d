"""Time that goes on while a long run is under way, without asking the clock again."""

import time
from datetime import datetime, timedelta


class Stopwatch:
    """Starts at ``now``; a step of the machine's clock in between changes nothing."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._started = time.monotonic()

    def moment(self) -> datetime:
        """Return ``now`` plus what has passed since."""
        return self._now + timedelta(seconds=time.monotonic() - self._started)
