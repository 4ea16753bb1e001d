"""Keyrings that a process has opened: few, and not for long, so that a destroyed key is forgotten."""

from collections.abc import Callable
from time import monotonic
from uuid import UUID

from server.keys.sealing import Keyring

MOST = 1000
FORGOTTEN_AFTER = 45.0
"""Seconds. A key that is destroyed is of no use to any process within a minute."""


class Keyrings:
    """The opened keyrings by clinic: at most ``most`` of them, none older than ``seconds``."""

    def __init__(
        self, most: int = MOST, seconds: float = FORGOTTEN_AFTER, clock: Callable[[], float] = monotonic
    ) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._known: dict[UUID, tuple[Keyring, float]] = {}

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._known)

    def get(self, clinic_id: UUID) -> Keyring | None:
        """Return the keyring of a clinic, None where it is not known or was read too long ago."""
        known = self._known.get(clinic_id)
        if known is None or self._clock() - known[1] >= self._seconds:
            return None
        return known[0]

    def keep(self, clinic_id: UUID, keyring: Keyring) -> None:
        """Remember a keyring that was read just now; the one read first makes room."""
        self._known.pop(clinic_id, None)
        for oldest in list(self._known)[: len(self._known) + 1 - self._most]:
            self._known.pop(oldest, None)
        self._known[clinic_id] = keyring, self._clock()

    def forget(self, clinic_id: UUID) -> None:
        """Forget one clinic's."""
        self._known.pop(clinic_id, None)

    def clear(self) -> None:
        """Forget all of them."""
        self._known.clear()
