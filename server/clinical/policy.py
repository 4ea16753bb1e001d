"""Every number a clinical rule uses, as data: default, bounds, unit and where it comes from.

A rule reads its numbers from a `Policy` and from nowhere else, so a clinic can change one, see it
versioned, and replay it over its own past. The table of thresholds itself is in ``thresholds/``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from server.clinical.thresholds import THRESHOLDS, Threshold

__all__ = [
    "DEFAULT_POLICY",
    "PATIENT_FAMILIES",
    "THRESHOLDS",
    "WHOLE_UNITS",
    "Found",
    "Policy",
    "PolicyError",
    "Threshold",
    "for_patient",
    "policy_from",
]

# Counted things: 3.9 of them is a mistake, never 3.
WHOLE_UNITS = frozenset({"days", "entries", "grade", "sessions", "items", "alerts"})

_LARGEST_TOLD = 1e15

# What one patient may have otherwise than the clinic. How fast people answer and what is an emergency
# is the same for everybody.
PATIENT_FAMILIES = frozenset(
    {
        *("alert", "baseline", "composite", "confirm", "data", "durability"),
        *("maintenance", "mania", "relapse", "scale", "silence", "stage"),
    }
)

# The first may never exceed the second, or the rule between them could never hold.
_ORDERED = (
    ("baseline.min_days", "baseline.window_days"),
    ("baseline.window_days", "baseline.max_days"),
    ("baseline.max_days", "baseline.grow_days"),
    ("baseline.pre_min_days", "baseline.pre_days"),
    ("relapse.enter_hits", "relapse.enter_days"),
    ("relapse.mean_min_days", "relapse.mean_days"),
    ("relapse.recent_min_entries", "relapse.recent_entries"),
    ("relapse.recent_entries", "relapse.recent_days"),
    ("data.min_days", "data.window_days"),
    ("maintenance.default_interval_days", "maintenance.default_max_interval_days"),
    ("maintenance.systolic", "maintenance.systolic_hard"),
    ("maintenance.systolic_hard", "maintenance.systolic_urgent"),
    ("maintenance.diastolic", "maintenance.diastolic_hard"),
    ("maintenance.diastolic_hard", "maintenance.diastolic_urgent"),
    ("visit.unseen_urgent_hours", "visit.unseen_hours"),
    ("escalation.p0_first_minutes", "escalation.p0_second_minutes"),
    ("escalation.p0_second_minutes", "escalation.p0_third_minutes"),
    ("escalation.p1_first_minutes", "escalation.p1_second_minutes"),
    ("escalation.p1_second_minutes", "escalation.p1_third_minutes"),
    ("escalation.p2_first_minutes", "escalation.p2_second_minutes"),
    ("durability.fade_min_days", "durability.fade_days"),
    ("silence.short_days", "silence.usual_days"),
    ("mania.short_nights", "mania.nights"),
    ("mania.digibp_high_days", "mania.digibp_days"),
    ("mania.own_min_days", "mania.own_days"),
    ("scale.apart_min_days", "scale.apart_max_days"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that is wrong with threshold ``key``; ``other`` is the one that it contradicts."""

    key: str
    detail: str
    other: str | None = None

    def __str__(self) -> str:
        return f"{self.key}: {self.detail}"


class PolicyError(ValueError):
    """Some values cannot be a policy. ``found`` names every one of them, in key order."""

    def __init__(self, found: tuple[Found, ...]) -> None:
        super().__init__("; ".join(map(str, found)))
        self.found = found

    @property
    def problems(self) -> tuple[str, ...]:
        """The same as sentences that begin with the key."""
        return tuple(map(str, self.found))


@dataclass(frozen=True, slots=True)
class Policy:
    """A complete set of threshold values under one version number.

    ``patient_version`` is that of the patient's own values laid over the clinic's; 0 without any.
    """

    version: int
    values: Mapping[str, float]
    patient_version: int = 0

    def __getitem__(self, key: str) -> float:
        return self.values[key]

    def whole(self, key: str) -> int:
        """Return a counted value (days, entries, grades) as the whole number it is."""
        return int(self.values[key])

    def only(self, *families: str) -> "Policy":
        """Return the same with the thresholds of these families alone: to read another is a KeyError.

        What is made with it can rest on nothing else, so policies that are equal so far may share it.
        """
        return replace(self, values=MappingProxyType({key: self.values[key] for key in _keys_of(families)}))


@lru_cache(maxsize=8)
def _keys_of(families: tuple[str, ...]) -> Sequence[str]:
    return [key for key in THRESHOLDS if key.partition(".")[0] in families]


def policy_from(version: int, values: Mapping[str, float], kept: bool = False) -> Policy:
    """Return the defaults with ``values`` laid over them, as policy ``version`` (>= 1).

    Raises `PolicyError` naming every unknown key, every value out of its bounds or not a whole
    number where things are counted, and every pair of values that contradict each other. Not of what
    was taken once and ``kept``: another version may have other rules, and nobody may be without a policy.
    """
    defaults = {key: t.default for key, t in THRESHOLDS.items()}
    if kept:
        return Policy(version, _as_kept(defaults, values))
    below_one = () if version >= 1 else (Found("version", f"{version} is less than 1"),)
    return Policy(version, _laid_over(defaults, values, below_one))


def for_patient(
    policy: Policy, patient_version: int, values: Mapping[str, float], kept: bool = False
) -> Policy:
    """Return the clinic's ``policy`` with one patient's ``values`` laid over it.

    Raises `PolicyError` like `policy_from`, and for a key outside `PATIENT_FAMILIES`. ``kept`` as there.
    """
    if kept:
        return Policy(policy.version, _as_kept(policy.values, values), patient_version)
    foreign = tuple(
        Found(key, "is the same for every patient of the clinic")
        for key in sorted(values)
        if key in THRESHOLDS and key.partition(".")[0] not in PATIENT_FAMILIES
    )
    return Policy(policy.version, _laid_over(policy.values, values, foreign), patient_version)


def _as_kept(under: Mapping[str, float], values: Mapping[str, float]) -> Mapping[str, float]:
    """Return ``under`` with ``values`` in their place; what is no threshold any more is left out."""
    return MappingProxyType({**under, **{key: float(value) for key, value in values.items() if key in under}})


def _laid_over(
    under: Mapping[str, float], values: Mapping[str, float], found: tuple[Found, ...]
) -> Mapping[str, float]:
    """Return ``under`` with ``values`` in their place; raises `PolicyError` with all that is wrong."""
    wrong = {key: problem for key in sorted(values) if (problem := _problem(key, values[key]))}
    found += tuple(Found(key, problem) for key, problem in wrong.items())
    good = {key: float(value) for key, value in values.items() if key not in wrong}
    complete = {**under, **good}
    found += tuple(
        Found(low, f"{complete[low]:g} is more than {high} {complete[high]:g}", high)
        for low, high in _ORDERED
        if complete[low] > complete[high]
    )
    found += tuple(_too_late(complete))
    if found:
        raise PolicyError(found)
    return MappingProxyType(complete)


def _too_late(values: Mapping[str, float]) -> Iterator[Found]:
    """Yield that no baseline could ever be full, if so: everybody's watch would wait for it in silence."""
    key, until = "baseline.window_days", "baseline.latest_days"
    first, days = values["baseline.settle_days"], values[key]
    last = first + days - 1
    if last > values[until]:
        told = f"{days:g} days from day {first:g} on end on day {last:g}, after {until} {values[until]:g}"
        yield Found(key, told, until)


def _problem(key: str, value: object) -> str | None:
    threshold = THRESHOLDS.get(key)
    if threshold is None:
        return "is not a threshold"
    # bool is an int in Python; True is not a number of days.
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return "is not a number"
    # Compared before it is written out: a whole number may be larger than any float.
    if not threshold.low <= value <= threshold.high:
        told = f"{value:g}" if abs(value) < _LARGEST_TOLD else "that"
        return f"{told} is outside {threshold.low:g}..{threshold.high:g} {threshold.unit}"
    if threshold.unit in WHOLE_UNITS and value != int(value):
        return f"{value:g} is not a whole number of {threshold.unit}"
    return None


DEFAULT_POLICY = policy_from(1, {})
