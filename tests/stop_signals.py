"""Signals that stop a process, heard by what the tests start, whoever started the tests.

`nohup`, and a shell for what it runs in the background, have some ignored, and every process started from
there ignores them too: a test that stops a program as a person would could only fail.
"""

import signal

SIGNALS = (signal.SIGINT, signal.SIGHUP)


def let_through() -> None:
    """Catch what would be ignored: we go on as before, and what is started from here hears it again."""
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            # A handler, unlike being deaf, is not inherited.
            signal.signal(number, lambda _number, _frame: None)
