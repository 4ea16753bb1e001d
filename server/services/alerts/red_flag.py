"""Which alerts are about a single answer that cannot wait, and not about what a trend shows."""

from collections.abc import Mapping
from typing import Any

from server.clinical.vocabulary import AlertFamily

RED_FLAGS = frozenset({AlertFamily.SAFETY, AlertFamily.SIDE_EFFECT})


def is_about_one(family: AlertFamily, evidence: Mapping[str, Any]) -> bool:
    """Say whether a single answer is in it. In the activation family both flags and trends meet."""
    parts = (evidence, *evidence.get("earlier", ()))
    return family in RED_FLAGS or any("flags" in part for part in parts)
