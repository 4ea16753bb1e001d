"""What the watch was asked to reach, row by row, and whether it does."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from server.quality.cases import WATCH, Calm, Cases, Forewarning, calm, forewarning, known
from server.quality.figures import Figures


@dataclass(frozen=True, slots=True)
class Target:
    """One figure that was asked for. ``value`` is None where it could not be measured.

    ``at_least`` tells which side of ``bound`` is the good one; ``share`` prints both as percent.
    """

    on: str
    what: str
    bound: float
    at_least: bool
    value: float | None
    share: bool = False

    def met(self) -> bool:
        """Return whether the figure is reached; one that could not be measured is not."""
        if self.value is None:
            return False
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def told(self) -> str:
        """Return the figure as it is printed."""
        return amount(self.value, self.share)

    def asked(self) -> str:
        """Return the bound as it is printed."""
        sign = ">=" if self.at_least else "<="
        return f"{sign} {self.bound * 100:g} %" if self.share else f"{sign} {self.bound:g}"


def amount(value: float | None, share: bool = False) -> str:
    """Return a figure as it is printed: a share in percent, "-" where there is none."""
    if value is None:
        return "-"
    if share:
        return f"{value:.1%}".replace("%", " %")
    return f"{value:.3f}".rstrip("0").rstrip(".") if value % 1 else f"{value:g}"


_SENSITIVITY, _FALSE = "relapses found", "stable patients falsely alarmed in 90 days"


def targets(cases: Cases) -> Iterator[Target]:
    """Yield every target whose data was there."""
    for heading, rows in _ROWS.items():
        if cases.get(heading):
            yield from rows(cases)


def _reference(cases: Cases) -> Iterator[Target]:
    found = _watch(cases, "reference")
    yield Target("simulator, reference", _SENSITIVITY, 0.97, True, found.sensitivity, True)
    yield Target("simulator, reference", _FALSE, 0.08, False, found.false_alarmed, True)
    yield Target("simulator, reference", "median delay in days", 5, False, found.median_delay)


def _missing(cases: Cases) -> Iterator[Target]:
    value = _watch(cases, "missing").sensitivity
    yield Target("simulator, half of the days missing", _SENSITIVITY, 0.88, True, value, True)


def _correlated(cases: Cases) -> Iterator[Target]:
    value = _watch(cases, "correlated").false_alarmed
    yield Target("simulator, autocorrelation mean 0.5", _FALSE, 0.12, False, value, True)


def _one_relapse(cases: Cases) -> Iterator[Target]:
    found = _forewarning(cases, "kossakowski")
    yield Target("Kossakowski", "day of the first alarm", 60, False, found.first)
    yield Target("Kossakowski", "alarms on days 29-42", 0, False, found.false)


def _thinned(cases: Cases) -> Iterator[Target]:
    found = _forewarning(cases, "thinned")
    yield Target("Kossakowski, thinned", "warned before day 127", 0.98, True, found.warned, True)
    yield Target("Kossakowski, thinned", "alarms on days 29-42, mean", 0.2, False, found.false)


def _healthy(cases: Cases) -> Iterator[Target]:
    yield Target("PMData", "alarms in a person-month", 0.03, False, _calm(cases, "pmdata").per_month)


def _sparse(cases: Cases) -> Iterator[Target]:
    found = _watch(cases, "enrichd")
    yield Target("ENRICHD", _SENSITIVITY, 0.93, True, found.sensitivity, True)
    yield Target("ENRICHD", "false alarms in a person-month", 0.02, False, found.per_month)


def _watch(cases: Cases, heading: str) -> Figures:
    return known(cases[heading], WATCH)


def _forewarning(cases: Cases, heading: str) -> Forewarning:
    return forewarning(cases[heading], WATCH)


def _calm(cases: Cases, heading: str) -> Calm:
    return calm(cases[heading], WATCH)


_ROWS: dict[str, Callable[[Cases], Iterator[Target]]] = {
    "reference": _reference,
    "missing": _missing,
    "correlated": _correlated,
    "kossakowski": _one_relapse,
    "thinned": _thinned,
    "pmdata": _healthy,
    "enrichd": _sparse,
}
