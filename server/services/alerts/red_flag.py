"""Which alerts are about a single answer that cannot wait, and not about what a trend shows."""

from collections.abc import Mapping, Sequence
from typing import Any

from server.clinical.vocabulary import AlertFamily

RED_FLAGS = frozenset({AlertFamily.SAFETY, AlertFamily.SIDE_EFFECT})
# The diary's safety answers, mildest first: a milder one after a graver one is not news.
_MILDER = {"safety_passing": ("safety_often", "safety_plan"), "safety_often": ("safety_plan",)}


def is_about_one(family: AlertFamily, evidence: Mapping[str, Any]) -> bool:
    """Say whether a single answer is in it. In the activation family both flags and trends meet."""
    parts = (evidence, *evidence.get("earlier", ()))
    return family in RED_FLAGS or any("flags" in part for part in parts)


def is_new(code: str, known: Sequence[str]) -> bool:
    """Say whether a finding is none of those that are ``known``, and no milder one."""
    return code not in known and not set(_MILDER.get(code, ())) & set(known)
