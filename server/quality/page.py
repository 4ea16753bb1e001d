"""The page of figures: what was measured, beside what was wanted. Pure: cases in, text out."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from types import MappingProxyType

from server.clinical.policy import DEFAULT_POLICY
from server.quality.cases import CURVE, KIND, SETS, WATCH, Case, Cases, calm, detectors, forewarning, known
from server.quality.holding_page import Found, section
from server.quality.targets import amount, targets
from server.quality.trade_offs import FACTORS, UNREST_FACTORS, limits, limits_knowing, prices, unrest
from server.quality.trade_offs import rows as curve_rows
from server.quality.words import (
    ABOUT,
    CURVE_IS,
    KINDS_ARE,
    KNOWING_IS,
    LIBRARY_ABSENT,
    NOT_MEASURED,
    RERUN,
    SECTIONS,
    TUNED_ON,
    UNREST_IS,
    WHY_MISSED,
)

SIMULATED = ("reference", "eight", "missing", "correlated", "aching")
# How many stable, and as many relapsing, patients the targets are asked of.
FULL = 3000
_WIDE = 1.96


@dataclass(frozen=True, slots=True)
class Run:
    """What the figures came from: stable (and as many relapsing) patients of each cell, the first seed.

    ``library`` is the version of river, None where it was not there.
    """

    each: int
    seed: int
    library: str | None = None


def page(cases: Cases, run: Run, holding: Found = MappingProxyType({})) -> str:
    """Return the page in Markdown; ``holding``: forecasts of how long a benefit holds, by cohort."""
    parts = [
        "# How good the watch is",
        ABOUT,
        _made_from(cases, run),
        "## What the defaults were set on",
        TUNED_ON,
        "## What was asked for, and what is reached",
    ]
    parts += [*_told_targets(cases), "## The figures"]
    for heading in (*SIMULATED, *SETS):
        title, text = SECTIONS[heading]
        if heading == "thinned":
            continue
        parts += [f"### {title}", text, *_figures_of(heading, cases)]
    parts += ["## The trade-off", *_trade_offs(cases)]
    parts += ["## Which relapses are missed or found late", KINDS_ARE, _kinds(cases)]
    parts += [*section(holding, run.seed), "## Making this page again", RERUN]
    return "\n\n".join(parts) + "\n"


def _made_from(cases: Cases, run: Run) -> str:
    error = 100 * _WIDE * sqrt(0.1 * 0.9 / run.each)
    values = repr(sorted(DEFAULT_POLICY.values.items())).encode()
    fewer = "" if run.each >= FULL else f"; **{FULL} of each were asked for**: fewer were run, to save time"
    seeds = f"seeds {run.seed} to {run.seed + run.each - 1}"
    lines = [
        f"- simulated: {run.each} stable and {run.each} relapsing patients in each table, {seeds} "
        f"(a share near 10 % is known to about {error:.1f} points either way){fewer}",
        f"- policy: version {DEFAULT_POLICY.version}, the defaults, fingerprint "
        f"`{hashlib.sha256(values).hexdigest()[:12]}`; the same for every row",
    ]
    lines.append(f"- river {run.library}" if run.library else LIBRARY_ABSENT)
    if cases.get("thinned"):
        lines.append(f"- thinned diaries: {len(cases['thinned'])}, seeds 0 to {len(cases['thinned']) - 1}")
    return "Made from:\n\n" + "\n".join(lines)


def _told_targets(cases: Cases) -> Iterator[str]:
    found = list(targets(cases))
    rows = ((one.on, one.what, one.asked(), one.told(), "yes" if one.met() else "**no**") for one in found)
    yield _table(("on", "figure", "asked for", "measured", "reached"), rows)
    missed = [f"{one.on} ({one.what})" for one in found if not one.met()]
    if missed:
        reasons = [WHY_MISSED[one.on] for one in found if not one.met()]
        yield f"**Not reached: {len(missed)} of {len(found)}.** " + "; ".join(missed) + "."
        yield "\n".join(f"- {reason}" for reason in dict.fromkeys(reasons))
    else:
        yield f"All {len(found)} are reached."


def _figures_of(heading: str, cases: Cases) -> Sequence[str]:
    found = cases.get(heading, ())
    if not found:
        return [NOT_MEASURED]
    if heading in SIMULATED:
        return [_simulated(found)]
    if heading == "kossakowski":
        return [_relapse(found), SECTIONS["thinned"][1], _relapse(cases.get("thinned", ()))]
    return [_sparse(found) if heading == "enrichd" else _unmarked(found)]


def _simulated(cases: Sequence[Case]) -> str:
    head = ("detector", "relapses found", "falsely alarmed in 90 days", "false alarms in 30 stable days")
    return _table((*head, "median delay (days)", "days with too little data"), _of_truth(cases))


def _sparse(cases: Sequence[Case]) -> str:
    head = ("rule", "relapses found", "falsely alarmed", "false alarms in a person-month")
    said = known(cases, detectors(cases)[0])
    counted = f"{said.stable} people stayed well, {said.relapsing} fell ill again."
    return counted + "\n\n" + _table((*head, "median delay (days)"), (row[:-1] for row in _of_truth(cases)))


def _of_truth(cases: Sequence[Case]) -> Iterator[tuple[str, ...]]:
    for name in detectors(cases):
        one = known(cases, name)
        shares = (amount(one.sensitivity, True), amount(one.false_alarmed, True))
        delay, unsaid = amount(one.median_delay), _unsaid(name, one.insufficient)
        yield name, *shares, amount(one.per_month), delay, unsaid


def _relapse(cases: Sequence[Case]) -> str:
    head = ("detector", "first alarm (median day)", "warned before day 127", "alarms on days 29-42, mean")
    found = ((name, forewarning(cases, name)) for name in detectors(cases))
    rows = ((name, amount(f.first), amount(f.warned, True), amount(f.false)) for name, f in found)
    return _table(head, rows)


def _unmarked(cases: Sequence[Case]) -> str:
    head = ("detector", "people", "person-months judged", "alarms in a person-month")
    found = ((name, calm(cases, name)) for name in detectors(cases))
    rows = (
        (name, str(c.people), f"{c.months:.1f}", amount(c.per_month), _unsaid(name, c.insufficient))
        for name, c in found
    )
    return _table((*head, "days with too little data"), rows)


def _unsaid(name: str, share: float | None) -> str:
    """Return the share of days with too little data: only the watch says that it can't tell."""
    return amount(share, True) if name == WATCH else "-"


def _trade_offs(cases: Cases) -> Iterator[str]:
    if not any(heading.startswith(CURVE) for heading in cases):
        yield NOT_MEASURED
        return
    simulated = len(cases.get(f"{CURVE}reference", ())) // 2
    yield CURVE_IS
    yield f"Simulated: {simulated} stable and {simulated} relapsing patients of each kind."
    yield _settings(cases, FACTORS, limits)
    found = list(prices(cases))
    if found:
        yield "What the missed targets would cost, by this table:"
        yield "\n".join(f"- {one}" for one in found)
    yield KNOWING_IS
    yield _settings(cases, FACTORS, limits_knowing)
    yield UNREST_IS
    yield _settings(cases, UNREST_FACTORS, unrest)


def _settings(cases: Cases, factors: Sequence[float], name: Callable[[float], str]) -> str:
    head = ("limits times", *(f"{factor:g}" for factor in factors))
    found = curve_rows(cases, [name(factor) for factor in factors])
    return _table(head, ((what, *values) for what, values in found))


def _kinds(cases: Cases) -> str:
    found = (
        (name.removeprefix(KIND), known(cases[name], WATCH))
        for name in sorted(cases)
        if name.startswith(KIND)
    )
    rows = (
        (name, str(one.relapsing), amount(one.sensitivity, True), amount(one.median_delay))
        for name, one in found
    )
    return _table(("relapse", "patients", "found", "median delay (days)"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
