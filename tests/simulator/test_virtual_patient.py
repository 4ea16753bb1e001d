"""One virtual patient: always the same, always within bounds, and true to what was asked."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from statistics import fmean, median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.clinical.vocabulary import ITEMS, Arm, Route, SafetyAnswer
from server.simulator.cohorts import COHORTS
from server.simulator.course import draw_relapse, draw_response
from server.simulator.diary import MOOD_KEYS, PAIN_KEYS
from server.simulator.shapes import SimulatedDay, Traits, VirtualPatient
from server.simulator.virtual_patient import simulate_patient

START = date(2025, 3, 5)
COMMUNITY, CRPS, BOTH_ARMS = COHORTS["depression_community"], COHORTS["crps"], COHORTS["outpatient_pain"]


def patients(cohort: str, count: int, days: int = 150, traits: Traits | None = None) -> list[VirtualPatient]:
    return [simulate_patient(seed, COHORTS[cohort], days, START, traits) for seed in range(count)]


def mood_symptom(entries: Sequence[SimulatedDay]) -> float:
    return fmean(10 - entry.items["mood"] for entry in entries)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(min_value=0, max_value=2**64),
    key=st.sampled_from(sorted(COHORTS)),
    extra=st.integers(min_value=0, max_value=90),
    start=st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 1, 1)),
)
def test_every_patient_keeps_to_the_vocabulary_and_the_calendar(
    seed: int, key: str, extra: int, start: date
) -> None:
    cohort = COHORTS[key]
    days = cohort.shortest_diary + extra
    ana = simulate_patient(seed, cohort, days, start)
    assert ana.last_day - ana.first_day == timedelta(days=days - 1)
    dates = [entry.day for entry in ana.diary]
    assert dates == sorted(set(dates))
    assert all(ana.first_day <= day <= ana.last_day for day in dates)
    assert all(ana.first_day <= session.day <= ana.last_day for session in ana.sessions)
    assert ana.sessions[0].day - ana.first_day >= timedelta(days=10)
    session_hours = {session.day: session.hour for session in ana.sessions}
    for entry in ana.diary:
        check_entry(entry, session_hours.get(entry.day))
    assert [reading.day for reading in ana.history().readings] == dates


def check_entry(entry: SimulatedDay, session_hour: int | None) -> None:
    for key, value in entry.items.items():
        assert type(value) is int
        assert ITEMS[key].low <= value <= ITEMS[key].high
    assert (0 if session_hour is None else session_hour + 3) <= entry.hour <= 23
    assert 0 <= entry.minute <= 59
    assert not entry.side_effects or session_hour is not None
    for term, grade in entry.side_effects.items():
        assert SIDE_EFFECTS[term].window_hours is not None
        assert 1 <= grade <= 3
    assert entry.items.get("pain_worst", 10) >= entry.items.get("pain_average", 0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**64), key=st.sampled_from(sorted(COHORTS)))
def test_the_truth_is_told_in_order(seed: int, key: str) -> None:
    cohort = COHORTS[key]
    truth = simulate_patient(seed, cohort, cohort.shortest_diary + 60, START).truth
    if truth.relapse_onset is None:
        assert truth.full_relapse is None
        assert truth.ramp_days is None
        assert truth.shift == 0
    else:
        assert truth.responded
        assert truth.ramp_days is not None
        assert 1 <= truth.ramp_days <= 28
        assert 1.5 <= truth.shift <= 6
    if truth.full_relapse is not None and truth.relapse_onset is not None:
        assert (truth.full_relapse - truth.relapse_onset).days + 1 == truth.ramp_days
    assert truth.missing_days >= 0
    assert truth.treated_level <= truth.pretreatment_level


def test_each_arm_logs_its_own_items() -> None:
    mood = simulate_patient(1, COMMUNITY, 60, START)
    pain = simulate_patient(1, CRPS, 60, START)
    both = simulate_patient(1, BOTH_ARMS, 60, START)
    assert tuple(mood.diary[0].items) == MOOD_KEYS
    assert tuple(pain.diary[0].items) == PAIN_KEYS
    assert set(both.diary[0].items) == set(MOOD_KEYS) | set(PAIN_KEYS)
    assert both.arms == (Arm.MOOD, Arm.PAIN)


def test_clinics_give_induction_sessions_on_weekdays_only() -> None:
    for cohort in COHORTS.values():
        for shift in range(7):
            ana = simulate_patient(3, cohort, 150, START + timedelta(days=shift))
            assert len(ana.sessions) >= len(cohort.induction)
            assert all(session.day.weekday() < 5 for session in ana.sessions)


def test_only_maintained_patients_have_sessions_after_the_induction() -> None:
    kept = simulate_patient(1, COHORTS["esketamine_maintained_responder"], 120, START)
    left = simulate_patient(1, COMMUNITY, 120, START)
    assert len(kept.sessions) > 8
    assert len(left.sessions) == 6


def test_the_share_of_responders_is_that_of_the_cohort() -> None:
    for key in ("depression_community", "depression_academic", "crps"):
        responded = [draw_response(seed, COHORTS[key], Traits()) for seed in range(500)]
        assert [ana.truth.responded for ana in patients(key, 20, days=60)] == responded[:20]
        assert fmean(responded) == pytest.approx(COHORTS[key].response, abs=0.05)


def test_half_of_the_responders_relapse_by_the_median_of_the_cohort() -> None:
    after_last_session, never_cut_off = 31, range(31, 10_000)
    for key, days in (("ptsd", 27.5), ("depression_academic", 18.0), ("depression_community", 72.0)):
        relapses = [draw_relapse(seed, COHORTS[key], Traits(), 5, never_cut_off) for seed in range(4000)]
        lasted = [relapse.full - after_last_session + 1 for relapse in relapses if relapse]
        assert len(lasted) == 4000
        assert median(lasted) == pytest.approx(days, rel=0.06)


def test_a_patients_full_relapse_follows_the_last_session_by_the_time_of_the_cohort() -> None:
    ptsd = [ana for ana in patients("ptsd", 200, days=100) if ana.truth.responded]
    early = [
        ana.truth.full_relapse is not None
        and ana.truth.full_relapse - ana.sessions[-1].day <= timedelta(days=27)
        for ana in ptsd
    ]
    assert fmean(early) == pytest.approx(0.5, abs=0.1)


def test_about_one_day_in_eight_is_missing_and_gaps_cluster() -> None:
    everyone = patients("depression_community", 300, days=120, traits=Traits())
    assert fmean(ana.truth.missing_days / 120 for ana in everyone) == pytest.approx(0.127, abs=0.01)
    after_gap = []
    for ana in everyone:
        logged = {entry.day for entry in ana.diary}
        gone = [START + timedelta(days=day) not in logged for day in range(120)]
        after_gap += [later for earlier, later in pairwise(gone) if earlier]
    assert fmean(after_gap) == pytest.approx(0.45, abs=0.03)


def test_a_response_at_least_halves_the_symptoms_and_a_failure_does_not() -> None:
    for responds, low, high in ((True, 0.0, 0.56), (False, 0.7, 1.0)):
        wish = Traits(responds=responds, relapses=False if responds else None)
        ratios = []
        for ana in patients("depression_community", 100, days=90, traits=wish):
            before = mood_symptom([entry for entry in ana.diary if entry.day < ana.sessions[0].day])
            settled = ana.sessions[-1].day + timedelta(days=3)
            ratios.append(mood_symptom([entry for entry in ana.diary if entry.day >= settled]) / before)
        assert low <= fmean(ratios) <= high


def test_symptoms_return_at_the_relapse_and_not_before() -> None:
    wish = Traits(relapse_day=70)
    rises = []
    for ana in patients("depression_community", 100, days=110, traits=wish):
        assert ana.truth.relapse_onset == START + timedelta(days=70)
        assert ana.truth.ramp_days is not None
        full = START + timedelta(days=70 + ana.truth.ramp_days - 1)
        held = [e for e in ana.diary if ana.truth.judged_from <= e.day < ana.truth.relapse_onset]
        rises.append(mood_symptom([e for e in ana.diary if e.day >= full]) - mood_symptom(held))
    assert fmean(rises) == pytest.approx(2.9, abs=0.4)


def test_a_wished_relapse_falls_into_the_diary_and_an_unwished_one_never_does() -> None:
    for key in ("depression_community", "esketamine_maintained_responder", "crps"):
        for ana in patients(key, 40, days=90, traits=Traits(relapses=True)):
            assert ana.truth.full_relapse is not None
        for ana in patients(key, 40, days=90, traits=Traits(relapses=False)):
            assert ana.truth.relapse_onset is None


def test_a_silent_patient_says_nothing_from_that_day_on() -> None:
    ana = simulate_patient(5, COMMUNITY, 90, START, Traits(goes_silent_on=60))
    assert ana.truth.silent_from == START + timedelta(days=60)
    assert max(entry.day for entry in ana.diary) < ana.truth.silent_from
    assert ana.truth.missing_days == 60 - len(ana.diary)


def test_a_red_flag_is_logged_even_on_a_day_that_chance_would_skip() -> None:
    for seed in range(40):
        ana = simulate_patient(seed, COMMUNITY, 90, START, Traits(red_flag_on=70))
        flagged = [entry.day for entry in ana.diary if entry.safety is not SafetyAnswer.NO]
        assert flagged == [START + timedelta(days=70)] == [ana.truth.red_flag_on]


def test_a_plan_is_never_left_to_chance() -> None:
    answers = [entry.safety for ana in patients("depression_community", 150) for entry in ana.diary]
    assert SafetyAnswer.PLAN not in answers
    assert SafetyAnswer.PASSING in answers


def test_forcing_one_trait_leaves_the_days_before_it_untouched() -> None:
    holds = simulate_patient(8, COMMUNITY, 100, START, Traits(responds=True, relapses=False))
    relapses = simulate_patient(8, COMMUNITY, 100, START, Traits(relapse_day=70))
    before = START + timedelta(days=70)
    assert [e for e in holds.diary if e.day < before] == [e for e in relapses.diary if e.day < before]
    assert holds.diary != relapses.diary


def test_side_effects_come_as_often_as_published() -> None:
    nasal = patients("esketamine_maintained_responder", 100, days=90)
    treated = [
        entry
        for ana in nasal
        for entry in ana.diary
        if entry.day in {session.day for session in ana.sessions}
    ]
    share = {key: fmean(key in entry.side_effects for entry in treated) for key in SIDE_EFFECTS}
    assert 0.61 <= share["dissociation"] <= 0.75
    assert 0.48 <= share["sedation"] <= 0.61
    assert 0.08 <= share["raised_blood_pressure"] <= 0.19
    assert 0.20 <= share["altered_taste"] <= 0.27
    assert 0.20 <= share["dizziness"] <= 0.27
    drip = [entry for ana in patients("depression_community", 50) for entry in ana.diary]
    assert all(ana.route is Route.INTRANASAL for ana in nasal)
    assert not any("altered_taste" in entry.side_effects for entry in drip)


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        (Traits(responds=False, relapses=True), "nothing to relapse from"),
        (Traits(responds=False, relapse_day=60), "nothing to relapse from"),
        (Traits(relapses=False, relapse_day=60), "must not relapse"),
        (Traits(relapse_day=5), "must start on day"),
        (Traits(relapse_day=90), "must start on day"),
        (Traits(goes_silent_on=90), "day 0 to 89"),
        (Traits(red_flag_on=-1), "day 0 to 89"),
        (Traits(goes_silent_on=50, red_flag_on=50), "silent by then"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused(traits: Traits, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        simulate_patient(1, COMMUNITY, 90, START, traits)


def test_a_diary_too_short_for_its_induction_is_refused() -> None:
    simulate_patient(1, COMMUNITY, COMMUNITY.shortest_diary, START)
    with pytest.raises(ValueError, match="needs at least 48 days"):
        simulate_patient(1, COMMUNITY, COMMUNITY.shortest_diary - 1, START)
