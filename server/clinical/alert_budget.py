"""The alert budget: expected against actual alerts, and of every rule how much it asks and how right it is.

It says figures and changes nothing: no rule is quieter for it. Source: docs/clinical.md, "Alert budget".
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist

from server.clinical.policy import Policy
from server.clinical.vocabulary import AlertClass, Outcome, Usefulness

# How many weeks are looked at, where nobody says, and at the most.
WEEKS, MOST_WEEKS = 8, 26
# How sure the interval of a precision is (two-sided).
CONFIDENCE = 0.90
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_FALSE = frozenset({Outcome.FALSE_ALARM, Outcome.NO_ACTION_NEEDED})
_EXPECTED = {urgency: f"budget.{urgency.lower()}_per_100" for urgency in AlertClass}


@dataclass(frozen=True, slots=True)
class Spoken:
    """One alert: its urgency, the codes of the rules that spoke in it, and how it ended (None: it has not).

    ``words``: by code the newest word said of the rule in this alert.
    """

    urgency: AlertClass
    codes: tuple[str, ...]
    outcome: Outcome | None = None
    words: Mapping[str, Usefulness] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What the alerts are measured by.

    ``patient_weeks``: for how much of ``weeks`` (> 0) each patient was enrolled, added up over all.
    ``clinicians``: how many work now.
    """

    weeks: float
    patient_weeks: float
    clinicians: int


@dataclass(frozen=True, slots=True)
class ClassLoad:
    """Alerts of one urgency. The two rates are a week."""

    urgency: AlertClass
    alerts: int
    per_week: float
    expected_per_week: float
    over_budget: bool


@dataclass(frozen=True, slots=True)
class Precision:
    """Which share (0-1) of ``judged`` alerts was useful, with its Wilson interval; None without any."""

    useful: int
    judged: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class RuleLoad:
    """One rule. ``share`` (0-1): of all alerts. Closed and said are counts of alerts.

    ``over_budget``: of some urgency it uses more of the budget than one rule may. ``imprecise``: its
    precision is surely below what the policy asks.
    """

    code: str
    alerts: int
    share: float
    per_week: float
    per_clinician_week: float | None
    closed_useful: int
    closed_false: int
    said_useful: int
    said_noise: int
    precision: Precision
    over_budget: bool
    imprecise: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """Everything of a clinic. Rules: those with most alerts first. Per clinician: None where none works."""

    alerts: int
    per_week: float
    expected_per_week: float
    per_clinician_week: float | None
    minutes_per_clinician_week: float | None
    classes: tuple[ClassLoad, ...]
    rules: tuple[RuleLoad, ...]


def budget(spoken: Iterable[Spoken], stretch: Stretch, policy: Policy) -> Budget:
    """Return the figures of ``spoken``, every alert of ``stretch`` once; it is read once."""
    classes: Counter[AlertClass] = Counter()
    tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
    for alert in spoken:
        classes[alert.urgency] += 1
        for code in alert.codes:
            tallies[code].add(alert, code)
    measure = _Measure(classes.total(), stretch, policy)
    alone = measure.per_clinician(measure.alerts)
    rules = (measure.rule(code, tally) for code, tally in tallies.items())
    return Budget(
        alerts=measure.alerts,
        per_week=measure.alerts / stretch.weeks,
        expected_per_week=sum(measure.expected(urgency) for urgency in AlertClass) / stretch.weeks,
        per_clinician_week=alone,
        minutes_per_clinician_week=None if alone is None else alone * policy["replay.alert_minutes"],
        classes=tuple(measure.of_class(urgency, classes[urgency]) for urgency in AlertClass),
        rules=tuple(sorted(rules, key=lambda rule: (-rule.alerts, rule.code))),
    )


def wilson(good: int, of: int) -> tuple[float, float]:
    """Return the Wilson interval (0-1) of ``good`` among ``of`` (>= 1), as sure as `CONFIDENCE`."""
    share, square = good / of, _Z**2
    middle = share + square / (2 * of)
    half = _Z * sqrt(share * (1 - share) / of + square / (4 * of**2))
    width = 1 + square / of
    return max((middle - half) / width, 0.0), min((middle + half) / width, 1.0)


def precision(useful: int, judged: int) -> Precision:
    """Return the precision of a rule; nothing is said where nothing was judged."""
    if not judged:
        return Precision(useful, judged, None, None, None)
    return Precision(useful, judged, useful / judged, *wilson(useful, judged))


@dataclass(slots=True)
class _Tally:
    """What is counted of one rule."""

    classes: Counter[AlertClass] = field(default_factory=Counter)
    closed: Counter[bool] = field(default_factory=Counter)
    said: Counter[Usefulness] = field(default_factory=Counter)
    judged: Counter[bool] = field(default_factory=Counter)

    def add(self, alert: Spoken, code: str) -> None:
        """Count ``alert``, in which the rule spoke. What was said of the rule outranks the outcome."""
        self.classes[alert.urgency] += 1
        if alert.outcome is not None:
            self.closed[alert.outcome not in _FALSE] += 1
        word = alert.words.get(code)
        if word is not None:
            self.said[word] += 1
            self.judged[word is Usefulness.USEFUL] += 1
        elif alert.outcome is not None:
            self.judged[alert.outcome not in _FALSE] += 1


@dataclass(frozen=True, slots=True)
class _Measure:
    """All alerts, and what they are measured by."""

    alerts: int
    stretch: Stretch
    policy: Policy

    def expected(self, urgency: AlertClass) -> float:
        """Return how many alerts of ``urgency`` the policy expects in the whole stretch."""
        return self.policy[_EXPECTED[urgency]] * self.stretch.patient_weeks / 100

    def per_clinician(self, alerts: int) -> float | None:
        """Return alerts a week for each clinician."""
        if not self.stretch.clinicians:
            return None
        return alerts / self.stretch.weeks / self.stretch.clinicians

    def is_over(self, alerts: int, allowed: float) -> bool:
        """Say whether so many are more than allowed: a handful never is, also at a small clinic."""
        return alerts >= self.policy["budget.min_alerts"] and alerts > allowed

    def of_class(self, urgency: AlertClass, alerts: int) -> ClassLoad:
        """Return the load of one urgency."""
        weeks, expected = self.stretch.weeks, self.expected(urgency)
        over = self.is_over(alerts, expected)
        return ClassLoad(urgency, alerts, alerts / weeks, expected / weeks, over)

    def rule(self, code: str, tally: _Tally) -> RuleLoad:
        """Return the load of one rule."""
        alerts = tally.classes.total()
        found = precision(tally.judged[True], tally.judged.total())
        part = self.policy["budget.rule_percent"] / 100
        return RuleLoad(
            code=code,
            alerts=alerts,
            share=alerts / self.alerts,
            per_week=alerts / self.stretch.weeks,
            per_clinician_week=self.per_clinician(alerts),
            closed_useful=tally.closed[True],
            closed_false=tally.closed[False],
            said_useful=tally.said[Usefulness.USEFUL],
            said_noise=tally.said[Usefulness.NOISE],
            precision=found,
            over_budget=any(self.is_over(n, part * self.expected(u)) for u, n in tally.classes.items()),
            imprecise=self._is_imprecise(found),
        )

    def _is_imprecise(self, found: Precision) -> bool:
        enough = found.judged >= self.policy["budget.min_judged"]
        return enough and found.high is not None and found.high < self._asked

    @property
    def _asked(self) -> float:
        return self.policy["budget.min_precision_percent"] / 100
