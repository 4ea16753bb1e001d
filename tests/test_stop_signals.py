"""What the tests start hears what stops it, also where the tests themselves were started deaf."""

import signal
import subprocess
import sys

from tests import stop_signals

_DEAF = "import signal as s; [s.signal(one, s.SIG_IGN) for one in (s.SIGINT, s.SIGHUP)]; "
_START = "import subprocess as p, sys; from tests import stop_signals; stop_signals.let_through(); "
_CHILD = "import signal as s; print([s.getsignal(one) is s.SIG_IGN for one in (s.SIGINT, s.SIGHUP)])"


def test_what_was_started_deaf_starts_what_hears() -> None:
    program = f"{_DEAF}{_START}p.run([sys.executable, '-c', {_CHILD!r}], check=True)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[False, False]"


def test_what_hears_already_stays_as_it_is() -> None:
    def handler(_number: int, _frame: object) -> None: ...

    before = signal.signal(signal.SIGHUP, handler)
    try:
        stop_signals.let_through()
        assert signal.getsignal(signal.SIGHUP) is handler
    finally:
        signal.signal(signal.SIGHUP, before)
