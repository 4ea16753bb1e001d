"""Every number a clinical rule uses, as data: default, bounds, unit and where it comes from.

A rule reads its numbers from a `Policy` and from nowhere else, so a clinic can change one, see it
versioned, and replay it over its own past. The table of thresholds itself is in ``thresholds/``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType

from server.clinical.thresholds import THRESHOLDS, Threshold

__all__ = ["DEFAULT_POLICY", "THRESHOLDS", "Policy", "PolicyError", "Threshold", "policy_from"]

# Counted things: 3.9 of them is a mistake, never 3.
_WHOLE_UNITS = frozenset({"days", "entries", "grade", "sessions", "items"})

# The first may never exceed the second, or the rule between them could never hold.
_ORDERED = (
    ("baseline.min_days", "baseline.window_days"),
    ("baseline.window_days", "baseline.max_days"),
    ("relapse.enter_hits", "relapse.enter_days"),
    ("relapse.mean_min_days", "relapse.mean_days"),
    ("data.min_days", "data.window_days"),
    ("maintenance.default_interval_days", "maintenance.default_max_interval_days"),
    ("escalation.p0_first_minutes", "escalation.p0_second_minutes"),
    ("escalation.p0_second_minutes", "escalation.p0_third_minutes"),
    ("escalation.p1_first_minutes", "escalation.p1_second_minutes"),
    ("escalation.p1_second_minutes", "escalation.p1_third_minutes"),
    ("escalation.p2_first_minutes", "escalation.p2_second_minutes"),
    ("durability.fade_min_days", "durability.fade_days"),
    ("silence.short_days", "silence.usual_days"),
    ("scale.apart_min_days", "scale.apart_max_days"),
)


class PolicyError(ValueError):
    """Some values cannot be a policy. ``problems`` names every one of them, in key order."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Policy:
    """A complete set of threshold values under one version number."""

    version: int
    values: Mapping[str, float]

    def __getitem__(self, key: str) -> float:
        return self.values[key]

    def whole(self, key: str) -> int:
        """Return a counted value (days, entries, grades) as the whole number it is."""
        return int(self.values[key])


def policy_from(version: int, values: Mapping[str, float]) -> Policy:
    """Return the defaults with ``values`` laid over them, as policy ``version`` (>= 1).

    Raises `PolicyError` naming every unknown key, every value out of its bounds or not a whole
    number where things are counted, and every pair of values that contradict each other.
    """
    problems = tuple(_problems(version, values))
    if problems:
        raise PolicyError(problems)
    complete = {key: float(values.get(key, t.default)) for key, t in THRESHOLDS.items()}
    crossed = tuple(
        f"{low}: {complete[low]:g} is more than {high} {complete[high]:g}"
        for low, high in _ORDERED
        if complete[low] > complete[high]
    )
    if crossed:
        raise PolicyError(crossed)
    return Policy(version, MappingProxyType(complete))


def _problems(version: int, values: Mapping[str, float]) -> Iterator[str]:
    if version < 1:
        yield f"version: {version} is less than 1"
    for key in sorted(values):
        problem = _problem(key, values[key])
        if problem:
            yield f"{key}: {problem}"


def _problem(key: str, value: object) -> str | None:
    threshold = THRESHOLDS.get(key)
    if threshold is None:
        return "is not a threshold"
    # bool is an int in Python; True is not a number of days.
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return "is not a number"
    if not threshold.low <= value <= threshold.high:
        return f"{value:g} is outside {threshold.low:g}..{threshold.high:g} {threshold.unit}"
    if threshold.unit in _WHOLE_UNITS and value != int(value):
        return f"{value:g} is not a whole number of {threshold.unit}"
    return None


DEFAULT_POLICY = policy_from(1, {})
