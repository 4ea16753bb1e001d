"""How long this patient's benefit can be expected to hold: a cohort's times, bent by the patient's own.

The logarithm of a holding time is taken as normal around the patient's own mean, and that mean as
normal around the cohort's (partial pooling): without own times the cohort speaks, and with each of
them a little less. Source: docs/clinical.md, "Holding time".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import erfc, exp, inf, log, sqrt
from types import MappingProxyType

from server.clinical.policy import Policy
from server.clinical.vocabulary import Arm, Condition

LOW, MEDIAN, HIGH = 0.1, 0.5, 0.9

# The patient's mean is looked for this many of its SD around the cohort's, in this many steps each way.
_REACH, _STEPS = 5.0, 40
# Where a quantile is looked for beyond that, in SD of one time; and how often the search is halved.
_BEYOND, _HALVINGS = 8.0, 30
_TINY = 5e-324
_ROOT_2 = sqrt(2)


@dataclass(frozen=True, slots=True)
class HoldingPrior:
    """The holding times of a cohort: median in days, SD of their logarithm, and whose figures they are."""

    median: float
    sigma: float
    source: str


_COMMUNITY = HoldingPrior(72.0, 0.97, "McInnes 2022")
_BIPOLAR = HoldingPrior(72.0, 0.97, "McInnes 2022, depression; none published for bipolar depression")
_PTSD = HoldingPrior(27.5, 0.8, "Feder 2021")
_OCD = HoldingPrior(10.0, 0.9, "Rodriguez 2013; spread: proposal")
_IDEATION = HoldingPrior(7.0, 0.9, "Wilkinson 2018; spread: proposal")
_CRPS = HoldingPrior(76.0, 1.17, "Mangnus 2022")
_MIXED_PAIN = HoldingPrior(21.0, 1.0, "Patil & Anitescu 2012")
_OTHER_PAIN = HoldingPrior(21.0, 1.0, "Patil & Anitescu 2012, mixed pain; none published in days")

HOLDING_PRIORS: Mapping[Condition, HoldingPrior] = MappingProxyType(
    {
        Condition.DEPRESSION: _COMMUNITY,
        Condition.BIPOLAR_DEPRESSION: _BIPOLAR,
        Condition.PTSD: _PTSD,
        Condition.OCD: _OCD,
        Condition.SUICIDALITY: _IDEATION,
        Condition.CRPS: _CRPS,
        Condition.NEUROPATHIC_PAIN: _OTHER_PAIN,
        Condition.FIBROMYALGIA: _OTHER_PAIN,
        Condition.CHRONIC_PAIN: _MIXED_PAIN,
    }
)

# What a course does for the arm it was not meant for was not followed by anybody: the broadest cohort.
_BESIDE: Mapping[Arm, HoldingPrior] = MappingProxyType({Arm.MOOD: _COMMUNITY, Arm.PAIN: _OTHER_PAIN})


def prior_of(condition: Condition, arm: Arm) -> HoldingPrior:
    """Return the cohort for ``arm`` in a course for ``condition``."""
    return HOLDING_PRIORS[condition] if condition.programme is arm else _BESIDE[arm]


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of one holding time, in days after the session.

    The benefit was still above half on day ``until`` (>= 0) and below it by day ``lost_by``
    (> ``until``); None where that was never seen, because the patient was treated again, stopped
    logging, or still holds.
    """

    until: int
    lost_by: int | None = None


@dataclass(frozen=True, slots=True)
class HoldingTime:
    """Days after a session by which the benefit is expected to be below half.

    ``median`` and the ends of the 80 % interval ``low`` .. ``high``; ``lost`` and ``censored`` say how
    many of the patient's own times it rests on besides the cohort's.
    """

    low: float
    median: float
    high: float
    lost: int
    censored: int

    def dates(self, session: date) -> tuple[date, date, date]:
        """Return low, median and high as days after the day of ``session``, each rounded up."""
        low, median, high = (
            session + timedelta(days=-int(-d // 1)) for d in (self.low, self.median, self.high)
        )
        return low, median, high


@dataclass(frozen=True, slots=True)
class ExpectedLoss:
    """When the benefit of ``session`` is expected to be below half, and which cohort it was begun with.

    ``low`` .. ``high`` is the 80 % interval of days, ``median`` the day it is as likely lost as not.
    """

    session: date
    time: HoldingTime
    cohort: str

    @property
    def low(self) -> date:
        """The early end of the interval."""
        return self.time.dates(self.session)[0]

    @property
    def median(self) -> date:
        """The middle."""
        return self.time.dates(self.session)[1]

    @property
    def high(self) -> date:
        """The late end of the interval."""
        return self.time.dates(self.session)[2]


def holding_time(past: Sequence[Held], prior: HoldingPrior, policy: Policy, held: int = 0) -> HoldingTime:
    """Return the patient's next holding time, given their ``past`` ones in any order.

    ``held`` (days) is how long the present benefit has lasted so far: what is already over is not
    forecast. Longer times never shorten the answer, nor does a time that was cut off instead of lost.
    A benefit gone too soon to be seen is in no ``past``; each time is weighed as one that was seen.
    """
    share = policy["durability.personal_share"]
    own, rest = prior.sigma * sqrt(share), prior.sigma * sqrt(1 - share)
    steps = [_REACH * n / _STEPS for n in range(-_STEPS, _STEPS + 1)]
    means = [log(prior.median) + own * step for step in steps]
    # In a fixed order, so that the sum is the same to the last digit however the times came in.
    first = seen_from(policy)
    known = sorted((_seen(h, first) for h in past), key=lambda h: (h.until, h.lost_by or inf))
    logs = [_support(m, rest, known, first) - step**2 / 2 for m, step in zip(means, steps, strict=True)]
    top = max(logs)
    patient = _Mixture(means, [exp(value - top) for value in logs], rest)
    low, median, high = (patient.quantile(share, held) for share in (LOW, MEDIAN, HIGH))
    lost = sum(h.lost_by is not None for h in past)
    return HoldingTime(low, median, high, lost, len(past) - lost)


def seen_from(policy: Policy) -> int:
    """Return the first day after a session on which a loss can be seen: before it there is no good week."""
    return policy.whole("baseline.settle_days") + policy.whole("relapse.mean_min_days")


def _seen(held: Held, first: int) -> Held:
    """Return ``held`` as a time that lasts until day ``first``: an earlier day counts as that one."""
    lost_by = None if held.lost_by is None else max(held.lost_by, first + 1)
    return Held(max(held.until, first), lost_by)


def _support(mean: float, sd: float, known: Sequence[Held], first: int) -> float:
    """Return the log-likelihood of the patient's mean log time, of times that all outlast day ``first``.

    Taken as any times they would flatter: a patient's short ones are missing among them.
    """
    outlast = log(_below((mean - log(first)) / sd))
    return sum(log(max(_between(h, mean, sd), _TINY)) - outlast for h in known)


def _between(held: Held, mean: float, sd: float) -> float:
    """Return the probability of what is known of one time."""
    low = (_log(held.until) - mean) / sd
    high = inf if held.lost_by is None else (log(held.lost_by) - mean) / sd
    # Far out on either side only the nearer tail has digits left.
    if low > 0:
        return _below(-low) - _below(-high)
    return _below(high) - _below(low)


def _below(z: float) -> float:
    """Return the standard normal probability below ``z``, exact far out on the left too."""
    return 0.5 * erfc(-z / _ROOT_2)


def _log(days: int) -> float:
    return log(days) if days > 0 else -inf


@dataclass(frozen=True, slots=True)
class _Mixture:
    """Log-normal times of one SD around several means, each with its weight."""

    means: Sequence[float]
    weights: Sequence[float]
    sd: float

    def outlives(self, time: float) -> float:
        """Return the weight of what lies above log ``time``."""
        pairs = zip(self.means, self.weights, strict=True)
        return sum(weight * _below((mean - time) / self.sd) for mean, weight in pairs)

    def quantile(self, share: float, held: int) -> float:
        """Return the days by which ``share`` of the times that outlive ``held`` are over."""
        start = _log(held)
        wanted = (1 - share) * self.outlives(start)
        low = max(start, self.means[0] - _BEYOND * self.sd)
        high = max(start, self.means[-1]) + _BEYOND * self.sd
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.outlives(middle) > wanted else (low, middle)
        return exp(high)
