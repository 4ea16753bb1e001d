"""Files and folders that hold what people said: made for whoever runs the service, and for nobody else.

What was there before keeps the mode that somebody gave it.
"""

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path

FOLDER, FILE = 0o700, 0o600


def folder(path: Path) -> None:
    """Make ``path``, unless it is there; only who runs the service gets in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=FOLDER, exist_ok=True)


def file(path: Path) -> None:
    """Make ``path`` an empty file, unless it is there; two processes at once agree on one."""
    if not path.exists():
        once(path, "")


def once(path: Path, text: str) -> None:
    """Put ``text`` into ``path`` unless another process was first: a link never replaces and is whole.

    The file itself is never opened: closing it would take the locks of an embedded database from it.
    """
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    except OSError as error:  # a full disk, say: which file it was to be is not in it
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        Path(draft).unlink()


def append(path: Path, text: str) -> None:
    """Put ``text`` at the end of ``path``, all of it or nothing, on disk when this returns. Raises OSError.

    The file is made, with its folder, unless it is there. A line that a crash left open is closed first.
    """
    folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, FILE)
    try:
        with contextlib.suppress(OSError):  # a file system that has no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        is_open = text and size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        _write(descriptor, ("\n" if is_open else "").encode() + text.encode(), size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes, size: int) -> None:
    """Write ``data`` behind ``size`` bytes. What a full disk took only half of is taken back."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise
