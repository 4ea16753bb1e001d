"""Random draws that stay the same for ever: one named stream for each purpose.

Only ``random.Random.random()`` is used: it is the one method whose sequence Python promises to keep
for a given seed. Normal draws are therefore made here and not with ``Random.gauss``.
"""

import hashlib
import math
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def derive_seed(*path: int | str) -> int:
    """Return the 64-bit seed named by ``path``, e.g. ``(clinic_seed, patient_number)``."""
    name = "/".join(str(part) for part in path)
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


class Draws:
    """The random stream named by ``path``; it shares nothing with any other stream.

    A stream for each purpose means that forcing one trait, or adding one diary item, leaves every
    other number of the patient as it was.
    """

    __slots__ = ("_next",)

    def __init__(self, *path: int | str) -> None:
        # Virtual patients need repeatable numbers, not secret ones.
        self._next = random.Random(derive_seed(*path)).random  # noqa: S311

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """Return a number of ``low`` <= x < ``high``."""
        return low + (high - low) * self._next()

    def normal(self, mean: float = 0.0, sd: float = 1.0) -> float:
        """Return a normal draw (Box-Muller)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self._next()))
        return mean + sd * radius * math.cos(math.tau * self._next())

    def normals(self, count: int) -> list[float]:
        """Return ``count`` draws of mean 0 and SD 1: the same numbers as one by one, in half the time."""
        following, log, sqrt, cos, tau = self._next, math.log, math.sqrt, math.cos, math.tau
        return [sqrt(-2.0 * log(1.0 - following())) * cos(tau * following()) for _ in range(count)]

    def chance(self, probability: float) -> bool:
        """Return True with ``probability`` (0-1)."""
        return self._next() < probability

    def whole(self, low: int, high: int) -> int:
        """Return a whole number of ``low`` .. ``high``, both included."""
        return low + int(self._next() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        """Return one of ``options``, all equally likely."""
        return options[int(self._next() * len(options))]

    def weighted(self, options: Sequence[tuple[T, float]]) -> T:
        """Return one of ``options`` (value, weight); the weights need not sum to 1."""
        mark = self._next() * math.fsum(weight for _, weight in options)
        for value, weight in options:
            mark -= weight
            if mark < 0:
                return value
        return options[-1][0]
