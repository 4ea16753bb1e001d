"""Files and folders that hold what people said: made for whoever runs the service, and for nobody else.

What was there before keeps the mode that somebody gave it.
"""

import contextlib
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
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    Path(draft).unlink()


def appended(path: Path) -> int:
    """Return a descriptor that writes at the end of ``path``, made with its folder unless it is there."""
    folder(path.parent)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE)
