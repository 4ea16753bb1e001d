"""Argon2id, at the OWASP floor or above, behind a small cap on how many run at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.services.errors import Busy

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
AT_ONCE = 4
# Who waited for so long is asked to come again: a flood must not hold every thread of the server.
PATIENCE = 2.0
# A hash that no password has, with a salt of sixteen zeros: looking for one costs what it always does, and
# writing it down here saves a start of the process a hash.
_NOBODY = f"$argon2id$v=19$m={{}},t={{}},p={{}}${'A' * 22}${'A' * 43}"


class Passwords:
    """Hash and check passwords. `profile` is "standard" (19 MiB, t=2, p=1) or "cheap" (tests).

    Raises Busy where no place becomes free within ``patience`` seconds.
    """

    def __init__(self, profile: str = "standard", patience: float = PATIENCE) -> None:
        cheap = profile == "cheap"
        memory, passes = (64, 1) if cheap else (MEMORY_KIB, PASSES)
        self._hasher = PasswordHasher(memory_cost=memory, time_cost=passes, parallelism=LANES)
        # Each check holds its memory: a flood of sign-ins queues here instead of filling the machine.
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._patience = patience
        self._nobody = _NOBODY.format(memory, passes, LANES)

    def hash(self, password: str) -> str:
        """Return the encoded Argon2id hash of ``password``."""
        with self._slot():
            return self._hasher.hash(password)

    def matches(self, encoded: str | None, password: str) -> bool:
        """Return whether ``password`` fits. An unknown account (None) takes the same time."""
        with self._slot():
            try:
                self._hasher.verify(encoded or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return encoded is not None

    def renewed(self, encoded: str, password: str) -> str | None:
        """Return a fresh hash where ``encoded``, which fits, was made with other parameters than today's."""
        return self.hash(password) if self._hasher.check_needs_rehash(encoded) else None

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=self._patience):
            raise Busy
        try:
            yield
        finally:
            self._slots.release()
