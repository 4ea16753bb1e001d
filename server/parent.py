"""A child process that does not outlive its parent, even where that was killed and said nothing."""

import os
import signal
import threading
import time

# Seconds between two looks whether the parent process is still there.
EVERY = 0.5


def end_with(parent: int, number: signal.Signals) -> None:
    """Send this process the signal ``number`` soon after its ``parent`` has ended.

    A server that outlives its parent would keep the port, and no new one could start.
    """
    threading.Thread(target=_watch, args=(parent, number), daemon=True, name="parent-watch").start()


def _watch(parent: int, number: signal.Signals) -> None:
    while os.getppid() == parent:
        time.sleep(EVERY)
    os.kill(os.getpid(), number)
