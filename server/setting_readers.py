"""Readers of the environment's variables: text in, a value out, ValueError with what it must be."""

from collections.abc import Callable
from pathlib import Path

SMALLEST_KEY = 32
MOST_SIGNING_KEYS = 2


def text(raw: str) -> str:
    """Take anything."""
    return raw


def whole(raw: str) -> int:
    """Take a whole number of 0 or more."""
    if not raw.isdecimal():
        raise ValueError("must be a whole number")
    return int(raw)


def path(raw: str) -> Path:
    """Take a path; `~` is the home folder."""
    return Path(raw).expanduser()


def key(raw: str) -> str:
    """Take a secret of 32 bytes or more."""
    if len(raw.encode()) < SMALLEST_KEY:
        raise ValueError(f"must be at least {SMALLEST_KEY} bytes")
    return raw


def keys(raw: str) -> str:
    """Take one such secret, or two with a comma between them."""
    found = raw.split(",")
    if len(found) > MOST_SIGNING_KEYS or any(len(one.strip().encode()) < SMALLEST_KEY for one in found):
        raise ValueError(f"must be one key or two, each of at least {SMALLEST_KEY} bytes")
    return raw


def choice(*allowed: str) -> Callable[[str], str]:
    """Return a reader that takes one of ``allowed`` alone."""

    def read(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return raw

    return read
