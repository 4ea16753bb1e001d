"""Where the master keys come from, and whether what comes from there can be used."""

from collections.abc import Callable
from functools import partial

from server.keys.key_command import Asked
from server.keys.key_file import current
from server.keys.masters import Masters, Source
from server.keys.sealing import KEY_BYTES, decoded_keys, master_keyring
from server.keys.strength import why_weak

Check = Callable[[str], str]


def usable(text: str) -> str:
    """Return the text of master keys; ValueError says what is wrong with it, never the text."""
    try:
        decoded_keys(text)
    except ValueError:
        # It may be a key with one character wrong.
        raise ValueError(f"must be base64 of {KEY_BYTES} bytes") from None
    return text


def by_chance(text: str) -> str:
    """Return the same, each key made by chance as far as can be seen."""
    for key in decoded_keys(usable(text)):
        if (why := why_weak(key)) is not None:
            raise ValueError(f"{why}: make one by chance")
    return text


def fixed(text: str, check: Check) -> Masters:
    """Return master keys that stay as they are; ValueError where they can't be used."""
    return Masters(master_keyring(decoded_keys(check(text))))


def in_file(path: str, check: Check) -> Masters:
    """Return the master keys in a file, which is read again when it has changed; ValueError likewise."""
    return _following(partial(current, path, check))


def from_command(command: str, check: Check) -> Masters:
    """Return the master keys that a command prints, asked again where one is missing; ValueError likewise."""
    return _following(Asked(command, check))


def _following(source: Source) -> Masters:
    return Masters(master_keyring(decoded_keys(source(True))), source)
