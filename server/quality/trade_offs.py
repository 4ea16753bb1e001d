"""What a target would cost: every target again, the limits of the watch tightened or loosened. Pure.

A curve's cases hold one replay for each setting instead of one for each detector; seen through one
setting they are cases like any others, so the same targets are asked of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from server.clinical.policy import DEFAULT_POLICY, THRESHOLDS, Policy, policy_from
from server.quality.cases import CURVE, WATCH, Cases, known
from server.quality.targets import Target, amount, targets

# What is moved together: how far from the baseline is far, on every series.
FACTORS = (0.7, 0.8, 0.9, 1.0, 1.2, 1.4)
_RISES = ("relapse.ewma_rise", "relapse.recent_rise", "relapse.sparse_rise")
# The two limits of unrest alone.
UNREST_FACTORS = (1.0, 0.9, 0.8, 0.75, 0.7)
_UNREST = ("relapse.unrest_limit", "relapse.unrest_recent_limit")

_EIGHT = "simulator, all eight items: stable patients falsely alarmed in 90 days"
# One row of a curve's table: what is asked for, and its value at each setting.
Row = tuple[str, Sequence[str]]


def limits(factor: float) -> str:
    """Return the name of the watch with its limits times ``factor``."""
    return f"limits x {factor:g}"


def limits_knowing(factor: float) -> str:
    """Return the name of the same rules, knowing the person, with their limits times ``factor``."""
    return f"knowing x {factor:g}"


def unrest(factor: float) -> str:
    """Return the name of the watch with the limits of unrest times ``factor``."""
    return f"unrest x {factor:g}"


@cache
def swept(factor: float) -> Policy:
    """Return the default policy with the limits that say how far is far, times ``factor`` in their bounds."""
    spread = (t.key for t in THRESHOLDS.values() if t.key.startswith("relapse.") and t.unit == "SE")
    return _times(factor, (*spread, *_RISES))


@cache
def swept_unrest(factor: float) -> Policy:
    """Return the default policy with the limits of unrest times ``factor``, in their bounds."""
    return _times(factor, _UNREST)


def through(cases: Cases, setting: str) -> Cases:
    """Return the cases of the curve as if ``setting`` were the watch; headings without it are left out."""
    return {
        heading.removeprefix(CURVE): [(truth, {WATCH: said[setting]}) for truth, said in found]
        for heading, found in cases.items()
        if heading.startswith(CURVE) and found and setting in found[0][1]
    }


def rows(cases: Cases, names: Sequence[str]) -> Sequence[Row]:
    """Return every target that was measured at all the settings ``names``, with its values.

    The last row was no target: what the limits cost those who log all eight items.
    """
    views = [through(cases, name) for name in names]
    at = [{f"{t.on}: {t.what}": t.told() for t in targets(view)} for view in views]
    found = [(name, [one[name] for one in at]) for name in at[0]]
    if all(view.get("eight") for view in views):
        shares = [known(view["eight"], WATCH).false_alarmed for view in views]
        found.append((_EIGHT, [amount(share, True) for share in shares]))
    return found


def prices(cases: Cases) -> Iterator[str]:
    """Yield, for each target the watch misses, at which limits it is reached and what that costs."""
    at = {factor: list(targets(through(cases, limits(factor)))) for factor in FACTORS}
    for missed in targets(cases):
        if not missed.met() and any(_same(missed, one) for one in at[1.0]):
            yield _price(missed, at)


def _price(missed: Target, at: Mapping[float, Sequence[Target]]) -> str:
    name = f"{missed.on} ({missed.what})"
    reached = [f for f, found in at.items() if any(_same(missed, one) and one.met() for one in found)]
    if not reached:
        return f"{name}: no column reaches it."
    factor = min(reached, key=lambda one: abs(one - 1))
    if factor == 1:
        return f"{name}: reached by the smaller number of patients of this table, so a matter of chance."
    others = [f"{one.on} ({one.what}) {one.told()}" for one in at[factor] if not one.met()]
    cost = "; ".join(others) if others else "nothing"
    return f"{name}: reached with limits times {factor:g}. All that is missed then: {cost}."


def _same(one: Target, other: Target) -> bool:
    return (one.on, one.what) == (other.on, other.what)


def _times(factor: float, keys: Sequence[str]) -> Policy:
    found = (THRESHOLDS[key] for key in keys)
    values = {t.key: min(max(t.default * factor, t.low), t.high) for t in found}
    return policy_from(DEFAULT_POLICY.version, values)
