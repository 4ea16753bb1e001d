"""What a patient goes through: who they are, when they are treated, and how their level moves."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.clinical.vocabulary import Arm
from server.simulator.cohorts import (
    AFTERGLOW,
    NON_RESPONDER_IMPROVES,
    PRETREATMENT_DAYS,
    PRETREATMENT_LEVEL,
    RESPONDER_KEEPS_AT_MOST,
    SESSION_LEAVES,
    Cohort,
    DiaryProcess,
)
from server.simulator.draws import Draws
from server.simulator.shapes import Traits


@dataclass(frozen=True, slots=True)
class Person:
    """One person's constants; ``weekday`` holds seven offsets in points, Monday first, mean 0."""

    level: float
    sd: float
    phi: float
    weekday: tuple[float, ...]
    shift: float
    ramp_days: int


@dataclass(frozen=True, slots=True)
class Relapse:
    """A return of symptoms that starts on day number ``onset`` and takes ``ramp_days`` (>= 1)."""

    onset: int
    ramp_days: int

    @property
    def full(self) -> int:
        """First day number at the full height."""
        return self.onset + self.ramp_days - 1

    def share(self, day: int) -> float:
        """Return how much of the shift (0-1) is there on ``day``."""
        return min(1.0, max(0.0, (day - self.onset + 1) / self.ramp_days))


@dataclass(frozen=True, slots=True)
class Course:
    """The run of a diary: calendar, session day numbers, and for each day the level without relapse
    (points of 0-10, higher is worse) and the share of the relapse (0-1)."""

    start: date
    sessions: tuple[int, ...]
    induction_end: int
    levels: tuple[float, ...]
    relapse_shares: tuple[float, ...]

    def day(self, number: int) -> date:
        """Return the date of a day number."""
        return self.start + timedelta(days=number)


@dataclass(frozen=True, slots=True)
class Fate:
    """What befalls a patient, in day numbers; ``levels`` are those before and after treatment."""

    person: Person
    course: Course
    responded: bool
    levels: tuple[float, float]
    relapse: Relapse | None
    silent_from: int | None = None
    red_flag_on: int | None = None

    def burden(self, day: int) -> float:
        """Return the symptoms expected on ``day`` without the daily ups and downs."""
        return self.course.levels[day] + self.person.shift * self.course.relapse_shares[day]


def draw_person(seed: int, process: DiaryProcess) -> Person:
    """Return the constants of person ``seed``."""
    draws = Draws(seed, "person")
    level, sd, phi = process.level.draw(draws), process.sd.draw(draws), process.phi.draw(draws)
    offsets = [draws.normal(0.0, process.weekday_share * sd) for _ in range(7)]
    middle = sum(offsets) / 7
    low, high = process.ramp_days
    ramp = low * (high / low) ** draws.uniform()
    return Person(
        level=level,
        sd=sd,
        phi=phi,
        weekday=tuple(offset - middle for offset in offsets),
        shift=process.shift.draw(draws),
        ramp_days=round(ramp),
    )


def plan_sessions(cohort: Cohort, days: int, start: date) -> tuple[tuple[int, ...], int]:
    """Return the day numbers of all sessions, and that of the last induction session.

    The first session is the first Monday after at least ten days of diary, so that clinics do not
    treat on weekends. ValueError if ``days`` leaves less than two weeks after the induction.
    """
    if days < cohort.shortest_diary:
        raise ValueError(f"cohort {cohort.key} needs at least {cohort.shortest_diary} days, got {days}")
    first = PRETREATMENT_DAYS + (-(start + timedelta(days=PRETREATMENT_DAYS)).weekday()) % 7
    induction = tuple(first + offset for offset in cohort.induction)
    end = induction[-1]
    step = cohort.maintenance_every
    later = tuple(range(end + step, days, step)) if step else ()
    return induction + later, end


def draw_levels(seed: int, person: Person, arms: Sequence[Arm], responded: bool) -> tuple[float, float]:
    """Return the levels before and after treatment (points of 0-10, higher is worse).

    A responder's two levels are moved apart until they make a response in every arm of ``arms``.
    """
    draws = Draws(seed, "levels")
    arm = min(arms, key=lambda each: RESPONDER_KEEPS_AT_MOST[each])
    before = PRETREATMENT_LEVEL[arm].draw(draws)
    if not responded:
        return before, before * (1.0 - draws.uniform(*NON_RESPONDER_IMPROVES))
    spec, keeps = PRETREATMENT_LEVEL[arm], RESPONDER_KEEPS_AT_MOST[arm]
    before = min(spec.high, max(before, person.level / keeps))
    return before, min(person.level, keeps * before)


def draw_response(seed: int, cohort: Cohort, traits: Traits) -> bool:
    """Return whether the treatment works, forced or by the cohort's probability."""
    by_chance = Draws(seed, "response").chance(cohort.response)
    wanted = traits.wanted_response()
    return by_chance if wanted is None else wanted


def draw_relapse(seed: int, cohort: Cohort, traits: Traits, ramp_days: int, window: range) -> Relapse | None:
    """Return a responder's relapse, or None if it does not start within ``window``.

    ``window`` holds the day numbers after the last induction session. The cohort's time is that of
    the full relapse; a slow ramp is shortened where it would start before the window. ValueError if a
    forced day is outside the window.
    """
    if traits.relapse_day is not None:
        if traits.relapse_day not in window:
            raise ValueError(f"a relapse must start on day {window[0]} to {window[-1]}")
        return Relapse(traits.relapse_day, ramp_days)
    wanted = traits.wanted_relapse()
    if wanted is False:
        return None
    share = Draws(seed, "relapse").uniform()
    if wanted:
        share *= cohort.relapse.reached_by(len(window) - 1)
    # The lower bound keeps the quantile defined when the draw is exactly 0.
    full = window[0] - 1 + max(1, round(cohort.relapse.quantile(max(share, 1e-9))))
    onset = max(window[0], full - ramp_days + 1)
    return Relapse(onset, full - onset + 1) if onset in window else None


def levels_through(
    days: int, sessions: tuple[int, ...], induction_end: int, levels: tuple[float, float]
) -> tuple[float, ...]:
    """Return the level of each day: high before, falling session by session, then held."""
    before, after = levels
    treated = sum(1 for session in sessions if session <= induction_end)
    course = []
    for day in range(days):
        given = bisect_left(sessions, day)
        relief = AFTERGLOW.get(day - sessions[given - 1], 0.0) if given else 0.0
        course.append(before + (after - before) * _share_of_response(given, treated) - relief)
    return tuple(course)


def relapse_shares(days: int, relapse: Relapse | None) -> tuple[float, ...]:
    """Return how much of the relapse (0-1) is there on each day."""
    return tuple(relapse.share(day) if relapse else 0.0 for day in range(days))


def _share_of_response(given: int, induction: int) -> float:
    """Return the share (0-1) reached after ``given`` of ``induction`` sessions."""
    return (1.0 - SESSION_LEAVES ** min(given, induction)) / (1.0 - SESSION_LEAVES**induction)
