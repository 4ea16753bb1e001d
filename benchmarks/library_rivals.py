"""Which settings of river's change detectors stand on the page of figures as tuned.

Of a grid, the one that finds most relapses among those with at most 8 % of stable patients falsely
alarmed, on reference patients of other seeds than the page's. Needs river (requirements-quality.lock).
Run: `python -m benchmarks.library_rivals --patients 600`.
"""

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import product
from multiprocessing import get_context

from rich.console import Console
from rich.table import Table

from jobs.library_rivals import adwin, page_hinkley, signals
from server.clinical.baseline import Treatment
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.vocabulary import Arm
from server.quality.figures import Figures, Truth, figures
from server.quality.replay import Diary, Replay
from server.quality.rivals import alarms, baseline_window, composite_points
from server.simulator.reference import reference_patient

FIRST_SEED, MOST_FALSE, SHOWN = 9001, 0.08, 5
MAKERS = {"PageHinkley": page_hinkley, "ADWIN": adwin}
SLACKS, THRESHOLDS = (0.2, 0.35, 0.5, 0.75, 1.0), (2, 3, 4, 5, 6, 8, 10, 12, 14)
CHANCES, LENGTHS = (0.002, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5), (3, 5, 7)
GRID: Mapping[str, Sequence[tuple[float, int]]] = {
    "PageHinkley": list(product(SLACKS, THRESHOLDS)),
    "ADWIN": list(product(CHANCES, LENGTHS)),
}


def main() -> None:
    """Print the best settings of each detector."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=600, help="stable, and as many relapsing")
    patients = parser.parse_args().patients
    with ProcessPoolExecutor(None, get_context("spawn")) as workers:
        for kind, grid in GRID.items():
            found = workers.map(partial(measured, kind, patients), grid, chunksize=4)
            Console().print(_table(kind, list(zip(grid, found, strict=True))))


def measured(kind: str, patients: int, values: tuple[float, int]) -> Figures:
    """Return the figures of one setting."""
    setting = MAKERS[kind](*values)
    found = []
    for truth, diary in _people(patients):
        window = baseline_window(diary, Arm.MOOD, DEFAULT_POLICY)
        days = signals(setting, composite_points(diary, Arm.MOOD, window), window) if window else iter(())
        found.append((truth, Replay(Arm.MOOD, None, alarms(days, kind, DEFAULT_POLICY), 0, 0)))
    return figures(found)


@cache
def _people(patients: int) -> Sequence[tuple[Truth, Diary]]:
    seeds = range(FIRST_SEED, FIRST_SEED + patients)
    return [_person(seed, stable) for seed in seeds for stable in (True, False)]


def _person(seed: int, stable: bool) -> tuple[Truth, Diary]:
    one = reference_patient(seed, stable)
    treatments = tuple(Treatment(session.day) for session in one.sessions)
    diary = Diary(one.name, one.history(), treatments, one.first_day, one.last_day)
    told = one.truth
    return Truth(told.judged_from, one.last_day, told.relapse_onset, told.full_relapse), diary


def _table(kind: str, found: Sequence[tuple[tuple[float, int], Figures]]) -> Table:
    table = Table("setting", "relapses found", "falsely alarmed", "median delay", title=f"river {kind}")
    calm = [one for one in found if (one[1].false_alarmed or 0.0) <= MOST_FALSE]
    for values, said in sorted(calm, key=lambda one: -(one[1].sensitivity or 0.0))[:SHOWN]:
        shares = (f"{share or 0.0:.1%}" for share in (said.sensitivity, said.false_alarmed))
        table.add_row(" ".join(map(str, values)), *shares, f"{said.median_delay or 0.0:g} days")
    return table


if __name__ == "__main__":
    main()
