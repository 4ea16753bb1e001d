"""How well the forecast of a holding time is calibrated: how often the truth lies in its interval. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from statistics import median

from server.clinical.durability import CourseDiary, SessionCurve, response_curve
from server.clinical.holding_time import Held, HoldingPrior, HoldingTime, holding_time
from server.clinical.policy import Policy
from server.clinical.vocabulary import Arm

# Days after the session on which somebody asks how long what still holds will last.
ASKED_ON = (14, 28, 56)


@dataclass(frozen=True, slots=True)
class FollowedCourse:
    """One course whose truth is known: it was followed to ``last`` and half was lost after ``holds`` days."""

    diary: CourseDiary
    last: date
    holds: float
    arm: Arm = Arm.MOOD


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was expected with ``past`` earlier courses, and what came (days).

    ``held``: how long the present benefit had been seen to hold; 0 for a forecast before the course.
    """

    past: int
    expected: HoldingTime
    holds: float
    held: int = 0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Shares of forecasts (0-1) whose truth lay in the 80 % interval, before it, after it.

    ``spread`` is the median of high divided by low: how much the interval says. ``error`` is the
    standard error of ``covered``, taking the forecasts as independent.
    """

    forecasts: int
    covered: float
    before: float
    after: float
    spread: float

    @property
    def error(self) -> float:
        """The standard error of ``covered``."""
        return sqrt(self.covered * (1 - self.covered) / self.forecasts)


def forecasts(courses: Sequence[FollowedCourse], prior: HoldingPrior, policy: Policy) -> Iterator[Forecast]:
    """Yield the forecasts for each course of one patient, oldest first, from what was known then alone.

    One before each course, and one on each day of ``ASKED_ON`` on which a benefit was seen to hold.
    """
    known: list[Held] = []
    for past, course in enumerate(courses):
        yield Forecast(past, holding_time(known, prior, policy), course.holds)
        asked = (_held(course, day, policy) for day in ASKED_ON)
        for held in (one.until for one in asked if one is not None and one.lost_by is None):
            yield Forecast(past, holding_time(known, prior, policy, held), course.holds, held)
        seen = _sessions(course, course.last, policy)
        known += [session.held for session in seen if session.held is not None]


def calibration(found: Sequence[Forecast]) -> Calibration:
    """Return how often the truth lay where; ``found`` holds at least one forecast."""
    before = sum(f.holds < f.expected.low for f in found) / len(found)
    after = sum(f.holds > f.expected.high for f in found) / len(found)
    spread = median(f.expected.high / f.expected.low for f in found)
    return Calibration(len(found), 1 - before - after, before, after, spread)


def _held(course: FollowedCourse, number: int, policy: Policy) -> Held | None:
    """Return what was known on day ``number`` after the session; None where it was not followed so far."""
    day = course.diary.treatments[-1].day + timedelta(days=number)
    return _sessions(course, day, policy)[-1].held if day <= course.last else None


def _sessions(course: FollowedCourse, day: date, policy: Policy) -> Sequence[SessionCurve]:
    return response_curve(course.diary, course.arm, policy, day).sessions
