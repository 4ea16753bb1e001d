"""The processes of the compose file, for real: two APIs, two job runners, a database, a mail catcher."""

import logging
import os
import shutil
from pathlib import Path

import pytest

from deploy.rehearsal import engines
from deploy.rehearsal.loop import loop
from deploy.rehearsal.stage import rehearsal

log = logging.getLogger(__name__)
A_YEAR_AGO = 365 * 24 * 3600


def _from_long_ago(file: Path) -> None:
    """Make a backup that has been kept for too long."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    os.utime(file, (file.stat().st_mtime - A_YEAR_AGO,) * 2)


@pytest.mark.rehearsal
def test_what_the_compose_file_starts_goes_once_around_the_loop_and_ends() -> None:
    if (why := engines.why_no_postgresql()) is not None:
        pytest.skip(why)
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    with rehearsal({}, log.info) as stage:
        found = loop(stage)
        log.info(f"{len(found.entries)} entries, one through each API, each read through all")
        log.info(f"an alert mail arrived: {found.mail['Subject']}")
        log.info(stage.shared())
        log.info(stage.watched())
        backups = stage.place.folder / "volumes" / "backups"
        _from_long_ago(backups / "afterglow-old.backup")
        assert ".backup: " in stage.once("backup")
        (kept,) = backups.iterdir()
        assert "old" not in kept.name
        said = stage.put_back(kept.name)
        log.info(said)
        assert said.startswith("Restored ")
        assert said.count(": holds, ") >= 1
        assert "NO LIST" not in said
        assert "DOES NOT HOLD" not in said
        children = [process.child for process in stage.running.processes]
        assert len(children) >= 6
        assert not stage.place.unwritten.exists(), "a container's own disk is read-only"
        folder = stage.place.folder
    assert len(found.entries) == 2
    assert "review" in str(found.mail["Subject"])
    assert "often" not in str(found.mail)
    # Only what can't be started here was left out, each with its reason in the report.
    assert stage.left_out.keys() <= {"pgbouncer", "prometheus", "grafana", "nginx", "valkey"}
    assert all(child.returncode is not None for child in children)
    assert not folder.exists()
    assert not [pid for pid in (child.pid for child in children) if Path(f"/proc/{pid}").exists()]
    assert os.environ.get("AFTERGLOW_DATABASE_URL") is None
