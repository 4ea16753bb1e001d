"""The same rules told the person's true level: they wait for no baseline, and the truth they get is true."""

from dataclasses import replace
from datetime import date, timedelta
from statistics import fmean, pstdev

import pytest

from jobs.true_person import true_levels
from jobs.watch_quality import OPTIONS
from server.clinical.baseline import Treatment
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.readings import fold
from server.clinical.series import COMPOSITE, UNREST, Level, blend_points, item_points
from server.clinical.vocabulary import Arm
from server.quality.figures import Truth
from server.quality.knowing import knowing
from server.quality.replay import Diary, alarms_of
from server.simulator.course import draw_person
from server.simulator.reference import reference_patient

DAY = date(2025, 1, 1)
KNOWN = Level(mean=3.0, sd=1.0, phi=0.3, n=10**9)


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def diary(levels: dict[int, float]) -> Diary:
    """Mood 7 of 10 is symptom 3."""
    said = [(day(n), {"mood": 10 - level}) for n, level in levels.items()]
    return Diary("Ana", fold(said), (Treatment(DAY),), DAY, day(max(levels)))


def test_who_falls_ill_before_a_baseline_fills_is_found_by_the_rules_that_know_them() -> None:
    few_days_before = {4: 3.0, 8: 3.0, **dict.fromkeys(range(17, 40), 7.0)}
    told = diary(few_days_before)
    truth = Truth(day(17), day(39), day(17), day(17))
    found = knowing(told, {"mood": KNOWN, COMPOSITE: KNOWN}, truth, DEFAULT_POLICY)
    assert day(17) < found.alarms[0].day <= day(20)
    assert found.judged == 23
    assert alarms_of(told, Arm.MOOD, DEFAULT_POLICY).alarms == ()


def test_nothing_is_said_before_judging_begins_nor_of_usual_days() -> None:
    ill_at_first = {**dict.fromkeys(range(3, 17), 8.0), **dict.fromkeys(range(30, 90), 3.0)}
    truth = Truth(day(17), day(89), None, None)
    assert knowing(diary(ill_at_first), {"mood": KNOWN, COMPOSITE: KNOWN}, truth, DEFAULT_POLICY).alarms == ()


@pytest.mark.parametrize("seed", [2, 90])
def test_what_is_called_true_is_what_a_life_of_calm_days_shows(seed: int) -> None:
    options = replace(OPTIONS["eight"], watched_days=4000)
    person = draw_person(seed, options.process())
    levels = true_levels(person, options.process(), options.items)
    history = reference_patient(seed, True, options).history()
    unrest = {key: levels[key].mean for key in ("irritability", "restlessness", "agitation")}
    mood = {key: levels[key].mean for key in ("mood", "interest", "anxiety", "restlessness", "sleep_quality")}
    for name, seen in (
        ("mood", item_points(history, "mood")),
        (COMPOSITE, blend_points(history, mood, 0.5)),
        (UNREST, blend_points(history, unrest, 0.5)),
    ):
        values = [value for _, value in seen]
        assert levels[name].mean == pytest.approx(fmean(values), abs=0.05), name
        assert levels[name].sd == pytest.approx(pstdev(values), rel=0.03), name


def test_the_bounds_of_the_scale_move_the_level_of_somebody_who_feels_best() -> None:
    process = OPTIONS["reference"].process()
    person = replace(draw_person(1, process), level=1.0, sd=2.0, weekday=(0.0,) * 7)
    told = true_levels(person, process, ("mood",))["mood"]
    assert told.mean > 1.2
    assert told.sd < 1.8
