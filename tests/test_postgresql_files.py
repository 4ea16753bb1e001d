"""What a run of the tests keeps for all its workers is gone after it, also after one that was killed."""

import os
import subprocess
import sys
from pathlib import Path

from tests.source import ROOT


def test_what_a_killed_run_left_is_taken_away_by_the_next_one_and_what_is_in_use_stays(
    tmp_path: Path,
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left, used = (tmp_path / f"afterglow-files-{number}-0" for number in (gone.pid, os.getpid()))
    for place in (left, used):
        (place / "data").mkdir(parents=True)
    environ = {name: value for name, value in os.environ.items() if name != "TESTS_POSTGRESQL_FILES"}
    run = [sys.executable, "-c", "import tests.postgresql_files"]
    subprocess.run(run, cwd=ROOT, env={**environ, "TMPDIR": str(tmp_path)}, check=True)
    assert [*tmp_path.iterdir()] == [used]
