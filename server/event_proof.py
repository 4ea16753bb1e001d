"""x"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any


class ProofError(Exception):
    """x"""


def verify(
    proof: Mapping[str, Any], secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime
) -> str:
    """x"""
    return "x"
