"""A key in a file that may change while we run: read again when the file is another, without a restart."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from server.keys.key_source import from_file

log = logging.getLogger(__name__)

SECONDS = 1.0
"""So often at the most the file is looked at, unless somebody needs to know now."""

Mark = tuple[int, int, int]
_ABSENT: Mark = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Read:
    text: str
    mark: Mark
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
    elif mark == known.mark:
        text = known.text
    else:
        text = _changed(path, check, known.text, mark)
    _KNOWN[path] = _Read(text, mark, now)
    return text


def _changed(path: str, check: Callable[[str], str], before: str, mark: Mark) -> str:
    if mark == _ABSENT:
        # The next start would fail. Said once, while there is time to put it back.
        log.error("a key's file is not there any more; the key it held stays")
        return before
    try:
        return check(from_file(path))
    except ValueError:
        # Half written, or a mistake: who is signed in goes on. Never a word of what it holds.
        log.error("a key's file was changed to what can't be used; the key before stays")
        return before


def _mark(path: str) -> Mark:
    try:
        found = Path(path).stat()
    except OSError:
        return _ABSENT
    return found.st_mtime_ns, found.st_ino, found.st_size
