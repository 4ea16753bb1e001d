"""What in a diary speaks of substance use, and how a copy is made without it (42 CFR Part 2).

Guards and red flags read the whole diary; what leaves it does not hold these, unless the patient agreed.
Source: docs/privacy.md, "Substance use".
"""

from collections.abc import Iterable, Mapping
from typing import Any

from server.clinical.instruments.catalog import INSTRUMENTS
from server.clinical.vocabulary import Sensitivity

ITEMS = frozenset({"craving"})
SIDE_EFFECTS = frozenset({"non_prescribed_use"})
SCALES = frozenset(key for key, made in INSTRUMENTS.items() if made.sensitivity is Sensitivity.SUBSTANCE_USE)
_PARTS: Mapping[str, frozenset[str]] = {
    "items": ITEMS,
    "side_effects": SIDE_EFFECTS,
    "side_effect_onset": SIDE_EFFECTS,
}
# The short one of the two statements that the rule offers (42 CFR 2.32); its wording is the rule's.
REDISCLOSURE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."


def speaks_of_it(said: Mapping[str, Any]) -> bool:
    """Return whether an entry (its members by name) holds a row about substance use."""
    return any(set(said.get(part) or ()) & names for part, names in _PARTS.items())


def without(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an entry without those rows; the entry itself stays as it is."""
    return {key: _left(value, _PARTS[key]) if key in _PARTS else value for key, value in said.items()}


def names_it(codes: Iterable[str]) -> bool:
    """Return whether an alert's codes speak of substance use."""
    return bool({*codes} & (ITEMS | SIDE_EFFECTS))


def _left(value: Any, names: frozenset[str]) -> Any:
    return {key: one for key, one in value.items() if key not in names} if value else value
