"""The benchmarks are run by hand and seldom: what they are made of must not move away under them."""

from importlib import import_module
from pathlib import Path

import pytest

from server.database import Database

HERE = Path(__file__).resolve().parent.parent / "benchmarks"
MODULES = sorted(file.stem for file in HERE.glob("*.py") if not file.stem.startswith("__"))


# PostgreSQL's package warns where a machine has no folder for what runs.
@pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR")
@pytest.mark.parametrize("name", MODULES)
def test_every_benchmark_finds_what_it_measures(name: str) -> None:
    import_module(f"benchmarks.{name}")


@pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR")
def test_a_ward_of_patients_with_a_past_is_made_on_either_database(database: Database) -> None:
    from benchmarks.ward import ward

    made = ward(database, patients=3, days=5)
    assert len({who.patient_id for who in made.patients}) == 3
