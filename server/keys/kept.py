"""Secrets that development makes for itself and keeps in the data folder."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def kept(folder: Path, name: str, make: Callable[[], str]) -> str:
    """Return the secret kept in ``folder``, made if need be; two processes at once agree on one."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    if not file.exists():
        _keep_once(file, make())
    return file.read_text()


def _keep_once(file: Path, text: str) -> None:
    """Put ``text`` into ``file`` unless another process was first: a link never replaces and is whole."""
    descriptor, draft = tempfile.mkstemp(dir=file.parent)  # made with mode 0600
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
    with contextlib.suppress(FileExistsError):
        os.link(draft, file)
    Path(draft).unlink()
