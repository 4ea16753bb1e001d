"""`python -m deploy.rehearsal`: start everything, go once around, stop it all; exits with 1 on trouble."""

import os
import signal
import sys
import time
from pathlib import Path

from deploy.rehearsal.loop import loop
from deploy.rehearsal.running import RehearsalError
from deploy.rehearsal.stage import rehearsal


def main() -> int:
    """Rehearse and say how it went."""
    began = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # on the way out everything is stopped

    def tell(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)

    try:
        with rehearsal(os.environ, tell) as stage:
            found = loop(stage)
            tell(f"{len(found.entries)} entries, one through each API, each read through all")
            tell(f"an alert mail arrived: {found.mail['Subject']}")
            tell(stage.shared())
            tell(stage.watched())
            backup = Path(stage.once("backup").split(": ", 1)[0]).name
            tell(f"backup: {backup}")
            tell(f"put back: {stage.put_back(backup).splitlines()[0]}")
    except RehearsalError as error:
        tell(f"failed: {error}")
        return 1
    tell("everything is stopped")
    return 0


sys.exit(main())
