"""A key that a command prints: asked again, while we run, only where a key is missing or about to be used."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

from server.keys.key_source import from_command

log = logging.getLogger(__name__)

SECONDS = 10.0
"""So often at the most the command runs: it may take long, and whoever needs the key waits for it."""


class Asked:
    """What ``command`` prints, as ``check`` returns it; ValueError where there is nothing to use at first."""

    def __init__(
        self, command: str, check: Callable[[str], str], clock: Callable[[], float] = monotonic
    ) -> None:
        self._command, self._check, self._clock = command, check, clock
        self._text = check(from_command(command))
        self._asked_at = clock()
        self._lock = threading.Lock()

    def __call__(self, fresh: bool) -> str:
        """Return the text as it was known last, or as it is now. Later what can't be used changes nothing."""
        if fresh:
            with self._lock:
                self._ask()
        return self._text

    def _ask(self) -> None:
        if self._clock() - self._asked_at < SECONDS:
            return
        try:
            self._text = self._check(from_command(self._command))
        except ValueError:
            # Never a word of what it printed.
            log.error("a key's command gives nothing that can be used; the key before stays")
        self._asked_at = self._clock()
