"""The benchmarks are run by hand and seldom: what they are made of must not move away under them."""

from importlib import import_module
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent.parent / "benchmarks"
MODULES = sorted(file.stem for file in HERE.glob("*.py") if not file.stem.startswith("__"))


# PostgreSQL's package warns where a machine has no folder for what runs.
@pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR")
@pytest.mark.parametrize("name", MODULES)
def test_every_benchmark_finds_what_it_measures(name: str) -> None:
    import_module(f"benchmarks.{name}")
