"""How well the expected holding time is calibrated on simulated patients, also where it assumes wrongly.

Each patient has several courses; before each one a forecast is made from the diaries of those before.
An 80 % interval should hold 75-85 % of the truths. Run: `python -m benchmarks.durability`.
"""

import argparse
import time
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from server.clinical.baseline import Treatment
from server.clinical.durability import CourseDiary
from server.clinical.holding_time import HOLDING_PRIORS
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.vocabulary import Condition
from server.quality.holding import FollowedCourse, Forecast, calibration, forecasts
from server.simulator.distributions import Duration, LogNormal, Weibull
from server.simulator.repeat_courses import RepeatOptions, repeated_courses

COURSES = 4
PRIOR = HOLDING_PRIORS[Condition.DEPRESSION]
AS_ASSUMED = LogNormal(PRIOR.median, PRIOR.sigma)
CASES: dict[str, tuple[Duration, RepeatOptions]] = {
    "as assumed": (AS_ASSUMED, RepeatOptions()),
    "half of the courses cut off": (AS_ASSUMED, RepeatOptions(treated_early=0.5)),
    "times as in the clinic (Weibull)": (Weibull(1.20, 98.0), RepeatOptions()),
    "a third shorter than the cohort": (LogNormal(PRIOR.median * 2 / 3, PRIOR.sigma), RepeatOptions()),
    "half as long as the cohort": (LogNormal(PRIOR.median / 2, PRIOR.sigma), RepeatOptions()),
    "a quarter personal": (AS_ASSUMED, RepeatOptions(personal_share=0.25)),
    "nothing personal": (AS_ASSUMED, RepeatOptions(personal_share=0.0)),
    "three quarters personal": (AS_ASSUMED, RepeatOptions(personal_share=0.75)),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=500, help="patients of each row")
    parser.add_argument("--seed", type=int, default=1, help="first seed")
    options = parser.parse_args()
    begun = time.perf_counter()
    table = Table(
        "patients", *(f"{n} past" for n in range(COURSES)), "before", "after", "high / low, 0 and 3"
    )
    for name, (holds, how) in CASES.items():
        seeds = range(options.seed, options.seed + options.patients)
        found = [forecast for seed in seeds for forecast in simulated_forecasts(seed, holds, how)]
        found = [forecast for forecast in found if not forecast.held]
        by_past = [calibration([f for f in found if f.past == n]) for n in range(COURSES)]
        later = calibration([f for f in found if f.past])
        table.add_row(
            name,
            *(f"{one.covered:.0%}" for one in by_past),
            f"{later.before:.0%}",
            f"{later.after:.0%}",
            f"{by_past[0].spread:.0f}, {by_past[-1].spread:.0f}",
        )
    console = Console()
    console.print(f"{options.patients} patients a row, {COURSES} courses each, seeds from {options.seed}")
    console.print(table)
    console.print(f"{time.perf_counter() - begun:.0f} s")


def simulated_forecasts(seed: int, holds: Duration, options: RepeatOptions) -> Iterator[Forecast]:
    """Yield the forecasts for one simulated patient, whose times are ``holds``."""
    courses = [
        FollowedCourse(CourseDiary(c.history, (Treatment(c.session),)), c.last, c.holds)
        for c in repeated_courses(seed, holds, COURSES, options)
    ]
    yield from forecasts(courses, PRIOR, DEFAULT_POLICY)


if __name__ == "__main__":
    main()
