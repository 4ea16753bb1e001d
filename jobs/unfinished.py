"""Files that are being made: whole or not there, for nobody else to read, and gone where their making ended.

Whoever makes one holds a lock on it, which ends with the process however that ends. So what a kill left
behind is told from what somebody is still at, and swept by whoever comes next.
"""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.problem import Problem
from server import private

# What a name must end with to be swept: no file of anybody else is called so.
_DRAFT = ".afterglow-unfinished"
_COPY, _COPIES = "copy.db", re.compile(r"afterglow-(backup|restore)-[a-z0-9_]{8}")
_PARTS = {_COPY, *(f"{_COPY}-{part}" for part in ("journal", "wal", "shm"))}


@contextmanager
def whole(file: Path, replaces: bool = False) -> Iterator[Path]:
    """Give a draft beside ``file`` that takes its name at the end, and is gone where anything fails.

    Raises `Problem` where its folder is not there, and where ``file`` is, unless the draft ``replaces`` it:
    no more than a plain file.
    """
    if replaces and (file.is_symlink() or (file.exists() and not file.is_file())):
        # A device or a pipe would be gone, and what somebody wanted sealed or thrown away would lie there.
        raise Problem(f"{file} is no plain file. Give a name that is free, or that of a file.")
    if not file.parent.is_dir():
        raise Problem(f"There is no folder {file.parent}.")
    sweep_drafts(file.parent)
    with _held(lambda: _draft(file), lambda draft: draft.unlink(missing_ok=True)) as draft:
        yield draft
        try:
            (os.replace if replaces else os.link)(draft, file)  # a link never replaces
        except FileExistsError:
            raise Problem(f"{file} exists. Give it a name of its own.") from None


@contextmanager
def copy_beside(database: Path, purpose: str) -> Iterator[Path]:
    """Give an empty file for a plain copy of an embedded database, in a folder of its own beside it.

    There it is as safe as the database; it must not lie where only a backup should. ``purpose``: for which
    it is, `backup` or `restore`.
    """
    sweep_copies(database)
    prefix = f"afterglow-{purpose}-"
    with _held(lambda: Path(tempfile.mkdtemp(prefix=prefix, dir=database.parent)), _remove) as folder:
        private.file(folder / _COPY)
        yield folder / _COPY


def sweep_copies(database: Path) -> int:
    """Remove the plain copies beside ``database`` that nobody is at any more; return how many."""
    found = (one for one in database.parent.glob("afterglow-*-*") if _is_copy(one))
    return sum(_swept(one, shutil.rmtree) for one in found)


def sweep_drafts(folder: Path) -> int:
    """Remove the drafts in ``folder`` that nobody is at any more; return how many."""
    return sum(_swept(one, Path.unlink) for one in folder.glob(f".*{_DRAFT}"))


def _draft(file: Path) -> Path:
    descriptor, name = tempfile.mkstemp(_DRAFT, f".{file.name}-", file.parent)  # made with mode 0600
    os.close(descriptor)
    return Path(name)


def _is_copy(folder: Path) -> bool:
    """Return whether ``folder`` is one of ours: by its name, and nothing else may be in it."""
    if not _COPIES.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
        return False
    with suppress(OSError):
        return {one.name for one in folder.iterdir()} <= _PARTS
    return False


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _held(make: Callable[[], Path], remove: Callable[[Path], None]) -> Iterator[Path]:
    """Make a path, hold its lock, and remove it at the end."""
    path, descriptor = make(), None
    try:
        while (descriptor := _locked(path)) is None:
            path = make()  # who swept just now took it for one that was left behind
        yield path
    finally:
        remove(path)
        if descriptor is not None:
            os.close(descriptor)


def _locked(path: Path) -> int | None:
    """Return what holds the lock of ``path`` until it is closed; None where the path is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with suppress(OSError):  # a file system that has no locks: nothing is ever swept there
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    if path.exists():
        return descriptor
    os.close(descriptor)
    return None


def _swept(path: Path, remove: Callable[[Path], object]) -> bool:
    """Remove ``path`` unless somebody holds it, or it is not ours to remove; return whether it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(path)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
