"""How well the forecast of a holding time is calibrated: how often the truth lies in its interval. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from server.clinical.durability import CourseDiary, response_curve
from server.clinical.holding_time import Held, HoldingPrior, HoldingTime, holding_time
from server.clinical.policy import Policy
from server.clinical.vocabulary import Arm


@dataclass(frozen=True, slots=True)
class FollowedCourse:
    """One course whose truth is known: it was followed to ``last`` and half was lost after ``holds`` days."""

    diary: CourseDiary
    last: date
    holds: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was expected before a course, from the ``past`` courses alone, and what came (days)."""

    past: int
    expected: HoldingTime
    holds: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Shares of forecasts (0-1) whose truth lay in the 80 % interval, before it, after it.

    ``spread`` is the median of high divided by low: how much the interval says.
    """

    forecasts: int
    covered: float
    before: float
    after: float
    spread: float


def forecasts(courses: Sequence[FollowedCourse], prior: HoldingPrior, policy: Policy) -> Iterator[Forecast]:
    """Yield a forecast for each course of one patient, oldest first, each made before it began."""
    known: list[Held] = []
    for past, course in enumerate(courses):
        yield Forecast(past, holding_time(known, prior, policy), course.holds)
        curve = response_curve(course.diary, Arm.MOOD, policy, course.last)
        known += [session.held for session in curve.sessions if session.held is not None]


def calibration(found: Sequence[Forecast]) -> Calibration:
    """Return how often the truth lay where; ``found`` holds at least one forecast."""
    before = sum(f.holds < f.expected.low for f in found) / len(found)
    after = sum(f.holds > f.expected.high for f in found) / len(found)
    spread = median(f.expected.high / f.expected.low for f in found)
    return Calibration(len(found), 1 - before - after, before, after, spread)
