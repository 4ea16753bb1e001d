"""One virtual patient: a seed and a cohort in, sessions, diary and truth out."""

from collections.abc import Sequence
from datetime import date

from server.clinical.vocabulary import SafetyAnswer
from server.simulator.checkins import Checkins, draw_dropout, draw_missed, logged_days
from server.simulator.cohorts import BASELINE_DAYS, CLINIC_PROCESS, SETTLE_DAYS, Cohort, DiaryProcess
from server.simulator.course import (
    Course,
    Fate,
    draw_levels,
    draw_person,
    draw_relapse,
    draw_response,
    levels_through,
    plan_sessions,
    relapse_shares,
)
from server.simulator.diary import keys_for, simulate_items
from server.simulator.draws import Draws
from server.simulator.shapes import GroundTruth, SimulatedDay, SimulatedSession, Traits, VirtualPatient

NAMES = (
    "Adebine",
    "Brimley",
    "Corvane",
    "Delphine-Ro",
    "Eskine",
    "Fennimar",
    "Galodie",
    "Harrowin",
    "Isolwen",
    "Jorvette",
    "Kestrin",
    "Lumara",
    "Mirelde",
    "Norrivo",
    "Ondarie",
    "Pellamin",
    "Quillane",
    "Rosavel",
    "Sundric",
    "Tamsolo",
)
ZONES = (
    "America/New_York",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Europe/Lisbon",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Sydney",
)


def simulate_patient(
    seed: int, cohort: Cohort, days: int, start: date, traits: Traits | None = None
) -> VirtualPatient:
    """Return the patient named by ``seed``: the same one for the same arguments, for ever.

    The diary runs ``days`` days from ``start``. ValueError if ``days`` is shorter than
    ``cohort.shortest_diary`` or ``traits`` contradict each other or the calendar.
    """
    fate = _draw_fate(seed, cohort, days, start, traits)
    checkins = Checkins(seed, cohort.route, accidents=traits is None)
    diary = write_diary(seed, CLINIC_PROCESS, fate, keys_for(cohort.arms), checkins)
    who = Draws(seed, "name")
    return VirtualPatient(
        name=who.pick(NAMES),
        zone=who.pick(ZONES),
        cohort=cohort.key,
        arms=cohort.arms,
        condition=cohort.condition,
        route=cohort.route,
        first_day=start,
        last_day=fate.course.day(days - 1),
        sessions=list_sessions(seed, fate.course),
        diary=diary,
        truth=tell_truth(fate, diary),
    )


def _draw_fate(seed: int, cohort: Cohort, days: int, start: date, traits: Traits | None) -> Fate:
    wishes = traits or Traits()
    wishes.check_days(days)
    sessions, induction_end = plan_sessions(cohort, days, start)
    person = draw_person(seed, CLINIC_PROCESS)
    responded = draw_response(seed, cohort, wishes)
    window = range(induction_end + 1, days)
    relapse = draw_relapse(seed, cohort, wishes, person.ramp_days, window) if responded else None
    levels = draw_levels(seed, person, cohort.arms, responded)
    course = Course(
        start=start,
        sessions=sessions,
        induction_end=induction_end,
        levels=levels_through(days, sessions, induction_end, levels),
        relapse_shares=relapse_shares(days, relapse),
    )
    silent_from = draw_dropout(seed, sessions[0], days) if traits is None else wishes.goes_silent_on
    return Fate(person, course, responded, levels, relapse, silent_from, wishes.red_flag_on)


def session_hours(seed: int, course: Course) -> dict[int, int]:
    """Return session day number -> local hour (9-14)."""
    draws = Draws(seed, "session hours")
    return {day: draws.whole(9, 14) for day in course.sessions}


def list_sessions(seed: int, course: Course) -> tuple[SimulatedSession, ...]:
    """Return the sessions of ``course``, oldest first."""
    return tuple(SimulatedSession(course.day(day), hour) for day, hour in session_hours(seed, course).items())


def write_diary(
    seed: int, process: DiaryProcess, fate: Fate, keys: Sequence[str], checkins: Checkins
) -> tuple[SimulatedDay, ...]:
    """Return the entries of the logged days, oldest first."""
    course = fate.course
    days = len(course.levels)
    items = simulate_items(seed, process, fate.person, course, keys)
    hours = session_hours(seed, course)
    logged = logged_days(draw_missed(seed, process, days), fate.silent_from, fate.red_flag_on)
    entries = []
    for day in range(days):
        # Drawn on missed days too, so that a gap never changes what other days say.
        hour, minute = checkins.time(hours.get(day))
        effects = checkins.side_effects() if day in hours else {}
        safety, (note, tags) = checkins.safety(fate.burden(day)), checkins.words()
        if day not in logged:
            continue
        safety = SafetyAnswer.PLAN if day == fate.red_flag_on else safety
        numbers = {key: items[key][day] for key in keys}
        entries.append(SimulatedDay(course.day(day), hour, minute, numbers, effects, safety, note, tags))
    return tuple(entries)


def tell_truth(fate: Fate, diary: Sequence[SimulatedDay]) -> GroundTruth:
    """Return what really happened, for judging what the watch made of it."""
    course, relapse, days = fate.course, fate.relapse, len(fate.course.levels)
    expected = days if fate.silent_from is None else fate.silent_from
    return GroundTruth(
        responded=fate.responded,
        relapse_onset=course.day(relapse.onset) if relapse else None,
        full_relapse=course.day(relapse.full) if relapse and relapse.full < days else None,
        ramp_days=relapse.ramp_days if relapse else None,
        silent_from=None if fate.silent_from is None else course.day(fate.silent_from),
        red_flag_on=None if fate.red_flag_on is None else course.day(fate.red_flag_on),
        missing_days=expected - len(diary),
        judged_from=course.day(course.induction_end + SETTLE_DAYS + BASELINE_DAYS),
        pretreatment_level=round(fate.levels[0], 2),
        treated_level=round(fate.levels[1], 2),
        shift=round(fate.person.shift, 2) if relapse else 0.0,
    )
