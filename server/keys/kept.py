"""Secrets that development makes for itself and keeps in the data folder."""

from collections.abc import Callable
from pathlib import Path

from server import private

MASTER_KEY = "master.key"


def kept(folder: Path, name: str, make: Callable[[], str]) -> str:
    """Return the secret kept in ``folder``, made if need be; two processes at once agree on one."""
    private.folder(folder)
    file = folder / name
    if not file.exists():
        private.once(file, make())
    return file.read_text()
