"""Being told to stop, for work that must clean up behind itself."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

# What service managers, containers and closed terminals send.
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stopped_like_an_error() -> Iterator[None]:
    """Let a signal to stop end what is done here as an exception does, with the exit code a shell tells.

    Left alone it would end the process on the spot, and leave behind whatever lies half done on the disk. One
    that whoever started us does not want heard (`nohup`) stays unheard.
    """
    known = {one: signal.getsignal(one) for one in _SIGNALS}
    wanted = {one: before for one, before in known.items() if before != signal.SIG_IGN}
    for one in wanted:
        signal.signal(one, _stop)
    try:
        yield
    finally:
        for one, before in wanted.items():
            signal.signal(one, before or signal.SIG_DFL)


def _stop(number: int, _frame: Any) -> NoReturn:
    for one in _SIGNALS:
        signal.signal(one, signal.SIG_IGN)  # a second one must not end the cleaning up
    raise SystemExit(128 + number)
