"""Who is stopped half way leaves no plain copy behind; what a kill leaves is swept by who comes next."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs import tidy
from jobs.around import Around
from jobs.unfinished import copy_beside, whole
from server.clinical.vocabulary import Purpose
from server.database import Database
from server.settings import Settings
from tests.cast import Cast, entry
from tests.conftest import NOON
from tests.consents import agree
from tests.source import ROOT

Stopped = Callable[..., int]
KEY = base64.b64encode(bytes([1]) * 32).decode()
# Sends itself a signal as it opens the file that would be left behind, a draft or a plain copy.
_PROGRAM = """
import os, sys
number, ending = int(sys.argv.pop(1)), sys.argv.pop(1)

def look(event, words):
    if event == "open" and words[1] and str(words[0]).endswith(ending):
        os.kill(os.getpid(), number)

from server.cli import main
sys.addaudithook(look)
main()
"""
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def folder(database: Database) -> Path:
    """Where the database lies."""
    assert database.file is not None
    return database.file.parent


@pytest.fixture
def stopped(settings: Settings, cast: Cast, folder: Path) -> Iterator[Stopped]:
    """What runs a command that gets a signal half way, and returns its exit code."""
    cast.ana.put("/entries/01a1e8a0-5c00-7000-8000-000000000001", entry(NOON))
    environment = {
        "AFTERGLOW_DATABASE_URL": settings.sqlalchemy_url,
        "AFTERGLOW_DATA_DIR": str(settings.data_dir),
        "AFTERGLOW_MASTER_KEY": settings.master_key,
        "AFTERGLOW_BACKUP_KEY": KEY,
    }

    def run(number: int, ending: str, *words: object) -> int:
        program = [sys.executable, "-c", _PROGRAM, str(number), ending, *map(str, words)]
        given = {**os.environ, **environment}
        done = subprocess.run(program, cwd=ROOT, env=given, capture_output=True, timeout=60, check=False)
        assert b"Traceback" not in done.stderr, done.stderr
        return done.returncode

    yield run
    assert left(folder) == []


def left(folder: Path) -> list[Path]:
    """Return the plain copies beside a database."""
    return list(folder.glob("afterglow-*-*/*"))


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_backup_that_is_told_to_stop_leaves_nothing_behind(
    stopped: Stopped, tmp_path: Path, number: signal.Signals
) -> None:
    assert stopped(number, "copy.db", "backup", tmp_path / "kept") == 128 + number
    assert list(tmp_path.glob("*kept*")) == []


@pytest.mark.long
def test_a_restore_that_is_told_to_stop_leaves_nothing_behind(stopped: Stopped, tmp_path: Path) -> None:
    assert stopped(signal.SIGTERM, "nothing", "backup", tmp_path / "kept") == 0
    wanted = ("restore", tmp_path / "kept", "--replace", "--without-lists", "--while-in-use")
    assert stopped(signal.SIGTERM, "copy.db", *wanted) == 143


@pytest.mark.long
def test_a_file_for_research_that_is_told_to_stop_is_gone(
    stopped: Stopped, cast: Cast, tmp_path: Path
) -> None:
    agree(cast, Purpose.RESEARCH)
    known = set(tmp_path.iterdir())
    wanted = ("research-export", tmp_path / "research.jsonl", "--clinic", "demo")
    assert stopped(signal.SIGTERM, "unfinished", *wanted) == 143
    assert set(tmp_path.iterdir()) == known
    assert stopped(signal.SIGTERM, "nothing", *wanted) == 0
    (made,) = set(tmp_path.iterdir()) - known
    assert (made.name, made.stat().st_mode & 0o777) == ("research.jsonl", 0o600)


@pytest.mark.long
def test_what_a_kill_leaves_is_swept_by_the_next_backup(
    stopped: Stopped, folder: Path, tmp_path: Path
) -> None:
    assert stopped(signal.SIGKILL, "copy.db", "backup", tmp_path / "kept") == -signal.SIGKILL
    assert len(left(folder)) == 1
    assert len(list(tmp_path.glob(".kept-*"))) == 1
    assert stopped(signal.SIGTERM, "nothing", "backup", tmp_path / "kept") == 0
    assert [one.name for one in tmp_path.glob("*kept*")] == ["kept"]


@pytest.mark.long
def test_what_a_kill_leaves_is_swept_by_the_job_but_not_what_somebody_is_at(
    stopped: Stopped, around: Around, folder: Path, tmp_path: Path
) -> None:
    assert stopped(signal.SIGKILL, "copy.db", "backup", tmp_path / "kept") == -signal.SIGKILL
    assert around.database.file is not None
    with copy_beside(around.database.file, "backup") as running:
        assert left(folder) == [running], "who begins sweeps"
        tidy.run(around, NOON)
        assert left(folder) == [running]
    assert stopped(signal.SIGKILL, "copy.db", "backup", tmp_path / "kept") == -signal.SIGKILL
    assert left(folder)
    assert tidy.run(around, NOON) == 1


def test_nothing_is_swept_that_is_not_ours(around: Around, folder: Path, tmp_path: Path) -> None:
    others = folder / "afterglow-backup-old_ones"
    others.mkdir()
    (others / "copy.db").touch()
    (others / "kept.backup").touch()
    with whole(tmp_path / "one") as draft, whole(tmp_path / "other"):
        assert draft.exists()
    assert tidy.run(around, NOON) == 0
    assert len(left(folder)) == 2
    for one in left(folder):
        one.unlink()
    others.rmdir()
