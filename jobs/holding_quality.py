"""Forecasts of how long a benefit holds, made for simulated patients whose truth is known."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log1p

from jobs.replay_pool import pool
from server.clinical.baseline import Treatment
from server.clinical.durability import CourseDiary
from server.clinical.holding_time import HOLDING_PRIORS
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.vocabulary import Condition
from server.quality.holding import FollowedCourse, Forecast, forecasts
from server.simulator.cohorts import COHORTS
from server.simulator.distributions import Duration, Exponential
from server.simulator.repeat_courses import RepeatOptions, repeated_courses

COURSES = 4


@dataclass(frozen=True, slots=True)
class Times:
    """How long the benefits of a cohort hold, and for which condition the forecast takes them."""

    holds: Duration
    condition: Condition
    options: RepeatOptions = RepeatOptions()


def _times(cohort: str) -> Times:
    found = COHORTS[cohort]
    return Times(found.relapse, found.condition, RepeatOptions(arm=found.condition.programme))


# The rate of loss of the simulated CRPS patients, without the trial's end of all benefit.
_NO_END = Exponential(-log1p(-0.226) / 28.0)
CASES: Mapping[str, Times] = {
    "depression, community": _times("depression_community"),
    "PTSD": _times("ptsd"),
    "CRPS": _times("crps"),
    "CRPS, no end at week 12": replace(_times("crps"), holds=_NO_END),
    "mixed pain": _times("outpatient_pain"),
}


def holding_forecasts(
    patients: int, seed: int, processes: int | None = None
) -> Mapping[str, Sequence[Forecast]]:
    """Return the forecasts of ``patients`` of each cohort, seeds from ``seed`` on, by the cohort's name."""
    wanted = [(name, seed + number) for name in CASES for number in range(patients)]
    found: dict[str, list[Forecast]] = defaultdict(list)
    with pool(processes) as workers:
        for (name, _), some in zip(wanted, workers.map_small(_simulated, wanted), strict=True):
            found[name] += some
    return found


def _simulated(which: tuple[str, int]) -> Sequence[Forecast]:
    """Return the forecasts for a patient, by the cohort's name (a key of ``CASES``) and a seed."""
    name, seed = which
    times = CASES[name]
    courses = [
        FollowedCourse(
            CourseDiary(one.history, (Treatment(one.session),)), one.last, one.holds, times.options.arm
        )
        for one in repeated_courses(seed, times.holds, COURSES, times.options)
    ]
    return list(forecasts(courses, HOLDING_PRIORS[times.condition], DEFAULT_POLICY))
