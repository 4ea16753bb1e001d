"""What one adjustable number is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threshold:
    """One adjustable number. ``low`` and ``high`` are inclusive bounds in ``unit``."""

    key: str
    default: float
    low: float
    high: float
    unit: str
    source: str
    help: str
