"""Whole clinics: a mixed one of any size, and the five patients of the demo."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from server.simulator.cohorts import CLINIC_MIX, COHORTS
from server.simulator.draws import Draws, derive_seed
from server.simulator.shapes import Traits, VirtualPatient
from server.simulator.virtual_patient import simulate_patient

SHORTEST_CLINIC = max(cohort.shortest_diary for cohort, _ in CLINIC_MIX)


def simulate_clinic(patients: int, days: int, seed: int, end: date) -> Iterator[VirtualPatient]:
    """Yield ``patients`` patients of mixed cohorts, each with ``days`` diary days up to ``end``.

    Patient k depends on ``seed`` and k alone, not on how many are made. ValueError at once (not at
    the first patient) if ``patients`` is negative or ``days`` is below ``SHORTEST_CLINIC``.
    """
    if patients < 0:
        raise ValueError(f"the number of patients must not be negative, got {patients}")
    if days < SHORTEST_CLINIC:
        raise ValueError(f"a clinic needs at least {SHORTEST_CLINIC} days, got {days}")
    return (nth_patient(seed, number, days, end) for number in range(patients))


def nth_patient(seed: int, number: int, days: int, end: date) -> VirtualPatient:
    """Return patient ``number`` (from 0) of that clinic; ``days`` is not checked."""
    cohort = Draws(seed, number, "cohort").weighted(CLINIC_MIX)
    start = end - timedelta(days=days - 1)
    return simulate_patient(derive_seed(seed, number, "patient"), cohort, days, start)


DEMO_DAYS = 90
_DEMO_ZONE = "Europe/Lisbon"
# Seeds chosen so that the story is plain to see: a clear response, and for Ana a return within days.
_DEMO = (
    ("Ana", "depression_community", 404, Traits(responds=True, relapse_day=72)),
    ("Isolwen", "depression_community", 204, Traits(responds=True, relapses=False)),
    ("Norrivo", "ptsd", 12, Traits(responds=False)),
    ("Kestrin", "crps", 134, Traits(responds=True, relapses=False, goes_silent_on=80)),
    ("Lumara", "depression_academic", 75, Traits(responds=True, relapses=False, red_flag_on=89)),
)


def demo_clinic(end: date) -> tuple[VirtualPatient, ...]:
    """Return the five of the demo, with 90 diary days up to ``end``.

    Ana relapses, Isolwen holds, Norrivo never responds, Kestrin (pain) goes silent for the last ten
    days, and Lumara answers the safety question with "plan" on ``end``.
    """
    start = end - timedelta(days=DEMO_DAYS - 1)
    return tuple(
        replace(simulate_patient(seed, COHORTS[cohort], DEMO_DAYS, start, traits), name=name, zone=_DEMO_ZONE)
        for name, cohort, seed, traits in _DEMO
    )
