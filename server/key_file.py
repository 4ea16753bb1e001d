"""A key in a file that may change while we run: read again when the file is another, without a restart."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from server.key_source import from_file

log = logging.getLogger(__name__)

SECONDS = 1.0
"""So often at the most the file is looked at, unless somebody needs to know now."""

Mark = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Read:
    text: str
    mark: Mark | None
    looked_at: float


_KNOWN: dict[str, _Read] = {}


def current(path: str, check: Callable[[str], str], fresh: bool = False) -> str:
    """Return what the file holds, as ``check`` returns it; ``fresh`` looks at once.

    Raises ValueError where there never was anything to use. Later what can't be used changes nothing.
    """
    known, now = _KNOWN.get(path), monotonic()
    if known is not None and not fresh and now - known.looked_at < SECONDS:
        return known.text
    mark = _mark(path)
    if known is None:
        text = check(from_file(path))
    elif mark in (known.mark, None):
        text = known.text
    else:
        text = _changed(path, check, known.text)
    _KNOWN[path] = _Read(text, mark or (known.mark if known else None), now)
    return text


def _changed(path: str, check: Callable[[str], str], before: str) -> str:
    try:
        return check(from_file(path))
    except ValueError:
        # Half written, or a mistake: who is signed in goes on. Never a word of what it holds.
        log.error("a key's file was changed to what can't be used; the key before stays")
        return before


def _mark(path: str) -> Mark | None:
    try:
        found = Path(path).expanduser().stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
