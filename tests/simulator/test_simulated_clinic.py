"""Clinics of virtual patients: repeatable, independent of their size, and the five of the demo."""

import hashlib
import json
from dataclasses import asdict
from datetime import date, timedelta
from itertools import islice
from statistics import fmean

import pytest

from server.clinical.vocabulary import Arm, SafetyAnswer
from server.simulator.clinic import SHORTEST_CLINIC, demo_clinic, simulate_clinic
from server.simulator.reference import reference_patient
from server.simulator.shapes import SimulatedDay, VirtualPatient

END = date(2025, 6, 30)
# These change only when the simulator does; a change makes published figures incomparable.
CLINIC_PRINT = "2fbe4b0ebb700ac5"
DEMO_PRINT = "51c75f35e566690f"
REFERENCE_PRINT = "e5b565f321523d64"


def fingerprint(patients: list[VirtualPatient]) -> str:
    text = json.dumps([asdict(patient) for patient in patients], default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def burden(entry: SimulatedDay) -> int:
    return 10 - entry.items["mood"] if "mood" in entry.items else entry.items["pain_average"]


def test_a_seed_names_the_same_patients_for_ever() -> None:
    assert fingerprint(list(simulate_clinic(20, 90, 42, END))) == CLINIC_PRINT
    assert fingerprint(list(demo_clinic(END))) == DEMO_PRINT
    twins = [reference_patient(seed, stable) for seed in range(5) for stable in (True, False)]
    assert fingerprint(twins) == REFERENCE_PRINT


def test_a_patient_is_the_same_in_a_small_and_in_a_large_clinic() -> None:
    small, large = list(simulate_clinic(3, 80, 5, END)), simulate_clinic(1000, 80, 5, END)
    assert list(islice(large, 3)) == small


def test_other_seeds_and_other_numbers_are_other_patients() -> None:
    people = [*simulate_clinic(30, 60, 1, END), *simulate_clinic(30, 60, 2, END)]
    assert len({json.dumps([entry.items for entry in ana.diary]) for ana in people}) == 60


def test_a_clinic_mixes_conditions_arms_and_fates() -> None:
    people = list(simulate_clinic(300, 90, 3, END))
    assert {ana.last_day for ana in people} == {END}
    assert {ana.arms for ana in people} == {(Arm.MOOD,), (Arm.PAIN,), (Arm.MOOD, Arm.PAIN)}
    assert 0.55 <= fmean(ana.truth.responded for ana in people) <= 0.75
    assert any(ana.truth.silent_from for ana in people)
    assert any(ana.truth.full_relapse for ana in people)


def test_a_clinic_that_cannot_be_is_refused_before_the_first_patient() -> None:
    with pytest.raises(ValueError, match="at least"):
        simulate_clinic(1, SHORTEST_CLINIC - 1, 1, END)
    with pytest.raises(ValueError, match="negative"):
        simulate_clinic(-1, 90, 1, END)
    assert list(simulate_clinic(0, 90, 1, END)) == []
    assert len(list(simulate_clinic(40, SHORTEST_CLINIC, 1, END))) == 40


@pytest.mark.parametrize("weekday", range(7))
def test_the_demo_tells_its_five_stories_on_any_day_of_the_week(weekday: int) -> None:
    end = END + timedelta(days=weekday)
    ana, holds, fails, silent, flagged = demo_clinic(end)
    assert ana.name == "Ana"
    assert len({patient.name for patient in demo_clinic(end)}) == 5
    assert ana.truth.full_relapse is not None
    assert holds.truth.responded
    assert holds.truth.relapse_onset is None
    assert not fails.truth.responded
    assert silent.truth.silent_from == end - timedelta(days=9)
    assert flagged.diary[-1].day == end
    assert flagged.diary[-1].safety is SafetyAnswer.PLAN
    others = [e for p in (ana, holds, fails, silent) for e in p.diary]
    assert all(entry.safety is SafetyAnswer.NO for entry in others)


def test_ana_of_the_demo_gets_better_holds_and_falls_back() -> None:
    ana = demo_clinic(END)[0]
    onset, full = ana.truth.relapse_onset, ana.truth.full_relapse
    assert onset is not None
    assert full is not None
    before = fmean(burden(e) for e in ana.diary if e.day < ana.sessions[0].day)
    held = fmean(burden(e) for e in ana.diary if ana.truth.judged_from <= e.day < onset)
    back = fmean(burden(e) for e in ana.diary if e.day >= full)
    assert held < before / 2
    assert back > held + 3
