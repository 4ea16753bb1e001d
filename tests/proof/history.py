"""What happened, one JSON line each: operations (invoke, ok, fail, unknown), faults, mails, the end state.

An operation is one try of one phone. `unknown` means that no answer came, or one that does not say whether
it was stored: only the database knows. Times are seconds since the run began.
"""

import json
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class History:
    """Written to ``file`` as it happens, by any thread. ``seed``: what chance began with."""

    def __init__(self, file: Path, seed: int) -> None:
        self.seed = seed
        self._out = file.open("w", encoding="utf-8")
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def add(self, kind: str, **parts: Any) -> None:
        """Add one line."""
        with self._lock:
            line = {"at": round(time.monotonic() - self._began, 4), "type": kind, **parts}
            self._out.write(json.dumps(line, default=str) + "\n")

    def close(self) -> None:
        """Write what is left."""
        with self._lock:
            self._out.close()


def read(file: Path) -> list[Line]:
    """Return the lines of a history."""
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def of(history: Iterable[Line], *kinds: str) -> list[Line]:
    """Return the lines of some kinds."""
    return [line for line in history if line["type"] in kinds]
