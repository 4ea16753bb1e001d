"""The signal of a terminal that was closed."""

import signal
from collections.abc import Callable
from typing import Any


def on_hang_up(do: Callable[..., Any]) -> None:
    """Call ``do`` on SIGHUP, unless whoever started us does not want it heard (`nohup`)."""
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, do)
