"""What a variable of the environment may hold: a kind reads a text, and ValueError says what it must be."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from server.keys.strength import why_weak_text

SMALLEST_KEY = 32
MOST_SIGNING_KEYS = 2


def text(raw: str) -> str:
    """Return any text as it is."""
    return raw


def whole(raw: str) -> int:
    """Return a whole number, 0 or more."""
    if not raw.isdecimal():
        raise ValueError("must be a whole number")
    return int(raw)


def between(least: int, most: int) -> Callable[[str], int]:
    """Return the kind of a whole number in these bounds, both included."""

    def read(raw: str) -> int:
        if not least <= (number := whole(raw)) <= most:
            raise ValueError(f"must be {least}-{most}")
        return number

    return read


def path(raw: str) -> Path:
    """Return a path, `~` filled in."""
    try:
        return Path(raw).expanduser()
    except RuntimeError:
        raise ValueError("begins with ~, and that home folder is not known here") from None


def place(raw: str) -> str:
    """Return the path of a file or a folder as text, `~` filled in."""
    return str(path(raw))


def key(raw: str) -> str:
    """Return a key that is long enough."""
    if len(raw.encode()) < SMALLEST_KEY:
        raise ValueError(f"must be at least {SMALLEST_KEY} bytes")
    return raw


def keys(raw: str) -> str:
    """Return one key or two with a comma between them, each long enough."""
    found = raw.split(",")
    if len(found) > MOST_SIGNING_KEYS or any(len(one.strip().encode()) < SMALLEST_KEY for one in found):
        raise ValueError(f"must be one key or two, each of at least {SMALLEST_KEY} bytes")
    return raw


def chance_keys(raw: str) -> str:
    """Return the same, each made by chance as far as can be seen."""
    for one in keys(raw).split(","):
        if (why := why_weak_text(one.strip())) is not None:
            raise ValueError(f"{why}: make one by chance")
    return raw


def choice(*allowed: str) -> Callable[[str], str]:
    """Return the kind of a word of a list."""

    def read(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return raw

    return read


def _check_port(raw: str) -> None:
    """Raise ValueError where no host and port can be told apart, and never repeat what may be a password."""
    try:
        found = urlsplit(raw)
        usable = bool(found.hostname) and (found.port is None or found.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must be SCHEME://HOST:PORT; in a password write / as %2F, @ as %40, : as %3A")


def address(*schemes: str) -> Callable[[str], str]:
    """Return the kind of an address that begins with one of ``schemes``."""

    def read(raw: str) -> str:
        if urlsplit(raw).scheme not in schemes:
            raise ValueError(f"must start with {' or '.join(f'{one}://' for one in schemes)}")
        _check_port(raw)
        return raw

    return read


web = address("http", "https")
