"""The script that makes the hourly backup, ends well, and keeps none older than patients were told."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from server.database import Database
from server.migrations import upgrade
from tests.conftest import JWT_KEY, MASTER_KEY
from tests.jobs.test_backup import KEY
from tests.source import ROOT

A_DAY = 24 * 3600
# In place of the command: it lasts until it is told to stop, cleans up for a moment, and says so.
_LONG = """#!/bin/sh
trap 'sleep 0.2; echo clean > "$(dirname "$2")/ended"; exit 143' TERM
echo begun > "$(dirname "$2")/begun"
while :; do sleep 0.05; done
"""
_SHORT = """#!/bin/sh
exit "$CODE"
"""


def started(folder: Path, program: str, **more: str) -> "subprocess.Popen[bytes]":
    """Start the script with ``program`` in place of `afterglow`."""
    command = folder / "bin" / "afterglow"
    command.parent.mkdir()
    command.write_text(program)
    command.chmod(0o755)
    environment = {**os.environ, **more, "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.Popen([str(ROOT / "deploy" / "back-up"), str(folder)], env=environment)


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 10
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert file.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_passed_on_and_old_backups_stay(tmp_path: Path, number: signal.Signals) -> None:
    old = tmp_path / "afterglow-old.backup"
    old.touch()
    os.utime(old, (0, 0))
    script = started(tmp_path, _LONG)
    wait_for(tmp_path / "begun")
    script.send_signal(number)
    assert script.wait(10) == 143, "as the command ended"
    assert (tmp_path / "ended").exists(), "it went before the backup had cleaned up"
    assert old.exists()


@pytest.mark.parametrize(("code", "stays"), [(0, False), (1, True)])
def test_old_backups_go_once_there_is_a_new_one(tmp_path: Path, code: int, stays: bool) -> None:
    old = tmp_path / "afterglow-old.backup"
    old.touch()
    os.utime(old, (0, 0))
    assert started(tmp_path, _SHORT, CODE=str(code)).wait(10) == code
    assert old.exists() is stays


def test_a_file_goes_when_it_is_as_old_as_patients_were_told_and_not_before(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/journal.db")
    upgrade(database)
    database.close()
    folder = tmp_path / "backups"
    folder.mkdir()
    for days in (34.9, 35.1, 35.5, 36.5):
        file = folder / f"afterglow-{days}.backup"
        file.touch()
        os.utime(file, (time.time() - days * A_DAY,) * 2)
    ours = {
        "AFTERGLOW_DATA_DIR": str(tmp_path),
        "AFTERGLOW_DATABASE_URL": f"sqlite:///{tmp_path}/journal.db",
        "AFTERGLOW_BACKUP_KEY": KEY,
        "AFTERGLOW_MASTER_KEY": MASTER_KEY,
        "AFTERGLOW_JWT_KEY": JWT_KEY,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    subprocess.run([ROOT / "deploy" / "back-up", folder], env=ours, check=True, timeout=60)
    kept = sorted(file.name for file in folder.iterdir())
    assert len(kept) == 2, kept
    assert "afterglow-34.9.backup" in kept
