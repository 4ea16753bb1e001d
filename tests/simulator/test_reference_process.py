"""The reference process has the figures of the reference simulation."""

from datetime import date, timedelta
from itertools import pairwise
from statistics import fmean, median

import pytest

from server.clinical.vocabulary import Arm
from server.simulator.reference import COMPOSITE, ReferenceOptions, reference_patient
from server.simulator.shapes import VirtualPatient

COMPLETE = ReferenceOptions(missing_share=0.0, watched_days=200)


def correlation(left: list[float], right: list[float]) -> float:
    mean_left, mean_right = fmean(left), fmean(right)
    top = sum((x - mean_left) * (y - mean_right) for x, y in zip(left, right, strict=True))
    spread = sum((x - mean_left) ** 2 for x in left) * sum((y - mean_right) ** 2 for y in right)
    return top / spread**0.5 if spread else 0.0


def series(ana: VirtualPatient, key: str) -> list[float]:
    return [float(entry.items[key]) for entry in ana.diary]


def test_a_stable_diary_is_three_settling_fourteen_baseline_and_ninety_watched_days() -> None:
    ana = reference_patient(1, stable=True, options=ReferenceOptions(missing_share=0.0))
    assert len(ana.diary) == 3 + 14 + 90
    assert [session.day for session in ana.sessions] == [ana.first_day]
    assert ana.truth.judged_from == ana.first_day + timedelta(days=17)
    assert ana.truth.relapse_onset is None
    assert tuple(ana.diary[0].items) == COMPOSITE
    assert ana.arms == (Arm.MOOD,)


def test_a_relapsing_diary_ends_fourteen_days_after_the_full_relapse() -> None:
    for seed in range(50):
        truth = (ana := reference_patient(seed, stable=False)).truth
        assert truth.relapse_onset is not None
        assert truth.full_relapse is not None
        assert truth.judged_from <= truth.relapse_onset < truth.judged_from + timedelta(days=60)
        assert ana.last_day == truth.full_relapse + timedelta(days=14)


def test_the_stable_and_the_relapsing_twin_are_the_same_until_the_relapse() -> None:
    holds, relapses = reference_patient(4, stable=True), reference_patient(4, stable=False)
    onset = relapses.truth.relapse_onset
    assert onset is not None
    before = [entry for entry in relapses.diary if entry.day < onset]
    assert before == list(holds.diary[: len(before)])


def test_days_hang_together_as_in_real_diaries() -> None:
    for mean, low, high in ((0.3, 0.22, 0.34), (0.5, 0.38, 0.52)):
        options = ReferenceOptions(phi_mean=mean, missing_share=0.0, watched_days=200)
        diaries = [series(reference_patient(seed, True, options), "mood") for seed in range(150)]
        assert low <= median(correlation(diary[:-1], diary[1:]) for diary in diaries) <= high


def test_items_of_one_person_move_together() -> None:
    people = [reference_patient(seed, True, COMPLETE) for seed in range(150)]
    together = [correlation(series(ana, "mood"), [-x for x in series(ana, "anxiety")]) for ana in people]
    assert 0.30 <= fmean(together) <= 0.45


def test_persons_differ_in_level_and_spread_as_stated() -> None:
    people = [reference_patient(seed, True, COMPLETE) for seed in range(300)]
    levels = [fmean(series(ana, "anxiety")) for ana in people]
    assert fmean(levels) == pytest.approx(3.1, abs=0.2)
    spreads = [
        fmean((x - level) ** 2 for x in series(ana, "anxiety")) ** 0.5
        for ana, level in zip(people, levels, strict=True)
    ]
    assert median(spreads) == pytest.approx(1.2, abs=0.12)


def test_ramps_are_spread_evenly_on_a_log_scale() -> None:
    ramps = [reference_patient(seed, stable=False).truth.ramp_days or 0 for seed in range(400)]
    assert min(ramps) == 1
    assert 26 <= max(ramps) <= 28
    assert 4 <= median(ramps) <= 7


def test_half_of_the_days_can_be_missing() -> None:
    options = ReferenceOptions(missing_share=0.5)
    people = [reference_patient(seed, True, options) for seed in range(200)]
    assert fmean(ana.truth.missing_days / 107 for ana in people) == pytest.approx(0.5, abs=0.03)


def test_days_before_treatment_are_there_when_asked_for() -> None:
    options = ReferenceOptions(missing_share=0.0, pretreatment_days=10)
    ana = reference_patient(2, True, options, start=date(2025, 1, 1))
    assert ana.sessions[0].day == date(2025, 1, 11)
    before = fmean(entry.items["anxiety"] for entry in ana.diary[:10])
    after = fmean(entry.items["anxiety"] for entry in ana.diary[11:])
    assert before > after + 3


def test_the_pain_arm_has_a_reference_too() -> None:
    ana = reference_patient(3, True, ReferenceOptions(items=("pain_average", "pain_interference")))
    assert ana.arms == (Arm.PAIN,)


def test_weekdays_differ_but_only_a_little() -> None:
    people = [reference_patient(seed, True, COMPLETE) for seed in range(100)]
    gaps = []
    for ana in people:
        by_weekday = [
            fmean(e.items["anxiety"] for e in ana.diary if e.day.weekday() == weekday) for weekday in range(7)
        ]
        gaps.append(max(by_weekday) - min(by_weekday))
    assert 0.3 <= median(gaps) <= 1.5


def test_a_week_starts_where_the_calendar_says() -> None:
    monday, tuesday = date(2024, 1, 1), date(2024, 1, 2)
    from_monday = reference_patient(9, True, COMPLETE, start=monday)
    from_tuesday = reference_patient(9, True, COMPLETE, start=tuesday)
    pairs = zip(from_monday.diary, from_tuesday.diary, strict=True)
    assert any(left.items != right.items for left, right in pairs)
    assert all(later.day - earlier.day == timedelta(days=1) for earlier, later in pairwise(from_monday.diary))
