"""What may be a password: long enough, and nothing that is tried first (NIST SP 800-63B-4, 3.1.1.2).

No rule about kinds of characters, none about changing it. Refused is what stands on the list of words that
people choose, alone, twice, or with the usual numbers and look-alikes; a run of keys; one's own names; and
what leaked elsewhere.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from server.clinical.vocabulary import Role
from server.services.errors import Invalid
from server.services.people.leaked_password import is_leaked

SHORTEST_ALONE, SHORTEST_WITH_FACTOR, LONGEST = 15, 8, 128
STAFF = frozenset({Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN})
SHORT = "Must have {} characters or more; four words are fine."
LEAKED = "This is on a list of passwords that leaked elsewhere, which are tried first: choose another."
EASY = "This is too easy to guess: choose words that have nothing to do with each other."

_OWN_NAME = "afterglow"
# What is left beside words that everybody tries must be more than this to count for anything.
_REST = 4
_SHORTEST_WORD, _LONGEST_WORD, _SHORTEST_NAME = 4, 24, 4
_MOST_WORDS = 2
_LOOK_ALIKE = str.maketrans("@013457$!|€", "aoieastsiie")
_RUNS = tuple(
    keys + keys for keys in ("abcdefghijklmnopqrstuvwxyz", "1234567890", "qwertyuiopasdfghjklzxcvbnm")
)


@dataclass(frozen=True, slots=True)
class Chooser:
    """Who chooses a password. ``names``: their own and the clinic's; ``alone``: nothing else protects."""

    names: Sequence[str]
    alone: bool


def chooser(role: Role, names: Iterable[str], factor_required: bool) -> Chooser:
    """Return the chooser of an account: of the staff a second factor protects, where it is required."""
    return Chooser([*names, _OWN_NAME], alone=not (factor_required and role in STAFF))


def check(password: str, chooser: Chooser, pointer: str = "/password") -> None:
    """Raise Invalid for a ``password`` (NFC) that is too short, among the first that are tried, or leaked."""
    shortest = SHORTEST_ALONE if chooser.alone else SHORTEST_WITH_FACTOR
    if len(password) < shortest:
        raise Invalid(pointer, SHORT.format(shortest))
    if is_easy(password, chooser.names):
        raise Invalid(pointer, EASY)
    if is_leaked(password):
        raise Invalid(pointer, LEAKED)


def is_easy(password: str, names: Iterable[str] = ()) -> bool:
    """Return whether ``password`` is a common one, a run of keys, or little more than ``names``."""
    folded = "".join(password.casefold().split())
    if folded in common() or _is_repeated(folded) or _is_run(folded):
        return True
    own = frozenset(part for name in names for part in _parts(name))
    return any(_is_made_of(letters, own) for letters in _readings(folded))


@cache
def common() -> frozenset[str]:
    """Return the words that people choose, in lower case."""
    text = files("server.services.people").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(text.casefold().split())


def _readings(folded: str) -> set[str]:
    """Return the letters of a password as they stand, and with look-alikes read as what they stand for.

    Numbers and signs at its ends are no look-alikes: they were added to please a rule.
    """
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded)
    without_numbers = re.sub(r"\d{2,}", "", folded)
    return {_letters(folded), *(_letters(text.translate(_LOOK_ALIKE)) for text in (core, without_numbers))}


def _letters(text: str) -> str:
    return re.sub(r"[\W\d_]+", "", text)


def _is_made_of(letters: str, own: frozenset[str]) -> bool:
    """Return whether names of one's own and two common words leave next to nothing of ``letters``."""
    rest = letters
    for name in sorted(own, key=len, reverse=True):
        rest = rest.replace(name, "")
    for _ in range(_MOST_WORDS):
        rest = rest.replace(_longest_word(rest), "") if _longest_word(rest) else rest
    return rest != letters and len(rest) < _REST


def _longest_word(letters: str) -> str:
    """Return the longest common word in ``letters``, empty where there is none."""
    known = common()
    for length in range(min(_LONGEST_WORD, len(letters)), _SHORTEST_WORD - 1, -1):
        pieces = (letters[start : start + length] for start in range(len(letters) - length + 1))
        if found := next((piece for piece in pieces if piece in known), ""):
            return found
    return ""


def _is_repeated(folded: str) -> bool:
    """Return whether it is a few characters again and again."""
    return re.fullmatch(r"(.{1,4}?)\1{2,}.{0,3}", folded) is not None


def _is_run(folded: str) -> bool:
    """Return whether it is the alphabet, the digits or the keyboard in order, perhaps backwards."""
    return any(folded in run * 8 or folded[::-1] in run * 8 for run in _RUNS)


def _parts(name: str) -> Iterable[str]:
    """Return the parts of a name or an address that are long enough to be recognised."""
    parts = re.split(r"[\W\d_]+", name.casefold())
    return [*(part for part in parts if len(part) >= _SHORTEST_NAME), *_whole(name)]


def _whole(name: str) -> Iterable[str]:
    letters = _letters(name.casefold().partition("@")[0])
    return [letters] if len(letters) >= _SHORTEST_NAME else []
