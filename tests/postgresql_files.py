"""The files of an empty PostgreSQL, made once a run for all workers: copying them takes a sixth of that."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

# Where they are; workers inherit it.
_PLACE = "TESTS_POSTGRESQL_FILES"
_NAME = "afterglow-files-"


def lay_out(data: Path, user: str | None, make: Callable[[Path], None]) -> None:
    """Copy into ``data`` what ``make`` makes of a folder that is not there; all of it belongs to ``user``."""
    shutil.copytree(_made(user, make), data, dirs_exist_ok=True)
    if user is not None:
        for place in (data, *data.rglob("*")):
            shutil.chown(place, user)


def _made(user: str | None, make: Callable[[Path], None]) -> Path:
    from fcntl import LOCK_EX, lockf  # here: where there is no PostgreSQL for tests, there may be no lock

    folder = Path(os.environ[_PLACE])
    folder.mkdir(exist_ok=True)
    made = folder / "data"
    with (folder / "lock").open("w") as lock:
        lockf(lock, LOCK_EX)
        if not made.exists():
            shutil.chown(folder, user or os.geteuid())
            make(folder / "new")
            (folder / "new").rename(made)
    return made


def _forsaken() -> Iterator[Path]:
    """Yield what runs have left that were killed: it lies in memory, and nobody else takes it away."""
    for place in Path(tempfile.gettempdir()).glob(f"{_NAME}*-*"):
        try:
            os.kill(int(place.name.removeprefix(_NAME).partition("-")[0]), 0)
        except (ProcessLookupError, ValueError):
            yield place
        except PermissionError:
            continue  # it runs, as somebody else


if _PLACE not in os.environ:
    for found in _forsaken():
        shutil.rmtree(found, ignore_errors=True)
    os.environ[_PLACE] = str(Path(tempfile.gettempdir(), f"{_NAME}{os.getpid()}-{uuid4().hex}"))
    atexit.register(shutil.rmtree, os.environ[_PLACE], ignore_errors=True)
