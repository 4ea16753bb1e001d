"""One patient treated again and again: for judging a forecast of how long the next benefit holds.

How long a benefit holds is part the person and part chance; how much of each is an assumption that
a caller can vary, and can make other than what the forecast assumes.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import sqrt
from statistics import NormalDist

from server.clinical.readings import History, fold
from server.clinical.vocabulary import Arm, Route
from server.simulator.checkins import Checkins
from server.simulator.cohorts import CLINIC_PROCESS
from server.simulator.course import Course, Fate, Relapse, draw_levels, draw_person, relapse_shares
from server.simulator.distributions import Duration
from server.simulator.draws import Draws, derive_seed
from server.simulator.virtual_patient import write_diary

ITEMS = {
    Arm.MOOD: ("mood", "interest", "anxiety", "restlessness"),
    Arm.PAIN: ("pain_average", "pain_interference"),
}
# Days of diary before each session, and after the benefit is fully lost.
_BEFORE, _AFTER = 14, 7
_STANDARD = NormalDist()
_START = date(2024, 1, 1)
# A uniform draw of exactly 0 or 1 has no quantile.
_INSIDE = 1e-9


@dataclass(frozen=True, slots=True)
class RepeatOptions:
    """``personal_share`` (0-1) of the spread lies between persons, the rest between a person's courses.

    A share ``treated_early`` of the courses is cut off by the next one before the benefit is lost;
    nobody is followed longer than ``follow_up`` days after a session. The diary is that of ``arm``.
    """

    personal_share: float = 0.5
    treated_early: float = 0.25
    follow_up: int = 180
    arm: Arm = Arm.MOOD


@dataclass(frozen=True, slots=True)
class RepeatedCourse:
    """One session, its diary, the last day that was followed, and ``holds``: the true days to half loss."""

    session: date
    last: date
    history: History
    holds: float


def repeated_courses(
    seed: int, holds: Duration, courses: int, options: RepeatOptions
) -> list[RepeatedCourse]:
    """Return ``courses`` courses of the responder ``seed``, oldest first, of one session each.

    Every holding time has the distribution ``holds`` (days until half of the benefit is lost).
    """
    found: list[RepeatedCourse] = []
    personal = Draws(seed, "holding").normal()
    for number in range(courses):
        start = found[-1].last + timedelta(days=1) if found else _START
        chance = Draws(seed, "holding", number)
        share = options.personal_share
        mark = _STANDARD.cdf(sqrt(share) * personal + sqrt(1 - share) * chance.normal())
        time = holds.quantile(min(max(mark, _INSIDE), 1 - _INSIDE))
        followed = float(options.follow_up)
        if chance.chance(options.treated_early):
            followed = min(followed, 7 + chance.uniform() * time)
        seeds = derive_seed(seed, "course", number), seed
        found.append(_course(seeds, start, (time, int(followed)), options.arm))
    return found


def _course(seeds: tuple[int, int], start: date, times: tuple[float, int], arm: Arm) -> RepeatedCourse:
    seed, person_seed = seeds
    person = draw_person(person_seed, CLINIC_PROCESS)
    before, after = draw_levels(person_seed, person, (arm,), responded=True)
    # The benefit is lost altogether in the end, so that half of it is lost on a certain day.
    person = replace(person, shift=before - after)
    holds, followed = times
    ramp = max(1, round(min(draw_person(seed, CLINIC_PROCESS).ramp_days, 2 * holds)))
    relapse = Relapse(_BEFORE + round(holds + 0.5 - ramp / 2), ramp)
    days = min(_BEFORE + followed, relapse.full + _AFTER) + 1
    levels = tuple(before if day <= _BEFORE else after for day in range(days))
    course = Course(start, (_BEFORE,), _BEFORE, levels, relapse_shares(days, relapse))
    fate = Fate(person, course, True, (before, after), relapse)
    checkins = Checkins(seed, Route.INTRAVENOUS, accidents=False)
    diary = write_diary(seed, CLINIC_PROCESS, fate, ITEMS[arm], checkins)
    history = fold((entry.day, entry.items) for entry in diary)
    return RepeatedCourse(course.day(_BEFORE), course.day(days - 1), history, holds)
