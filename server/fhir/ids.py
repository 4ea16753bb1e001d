"""Ids of resources that can be read back: whose it is, what it was made from, and which number of it.

A phone makes its ids, so they are only unique beside the patient's: both stand in an id, in 43 letters
and digits (base 62). The number of an Observation names no item: ids stand in addresses, and those say
nothing of anybody's health.
"""

import re
import string
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_LENGTH, _BITS = 43, 128
_ID = re.compile(r"([eq])([0-9A-Za-z]{43})(?:\.([1-9][0-9]{0,3}))?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class Kind(StrEnum):
    """What a resource is made from."""

    ENTRY = "e"
    SCALE = "q"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What an id says. ``number``: which Observation of its source it is; 0 for the source as a whole."""

    kind: Kind
    patient: UUID
    source: UUID
    number: int = 0


def written(place: Place) -> str:
    """Return the id that stands for ``place``."""
    digits = _digits(place.patient.int << _BITS | place.source.int)
    return f"{place.kind}{digits}" + (f".{place.number}" if place.number else "")


@lru_cache(16)  # one entry becomes a dozen resources that refer to each other
def _digits(value: int) -> str:
    digits = ""
    for _ in range(_LENGTH):
        value, digit = divmod(value, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


def read(text: str) -> Place | None:
    """Return what ``text`` stands for; None for what is no such id."""
    found = _ID.fullmatch(text)
    if found is None:
        return None
    value = 0
    for digit in found[2]:
        value = value * len(_DIGITS) + _VALUES[digit]
    if value >> 2 * _BITS:
        return None
    patient, source = divmod(value, 1 << _BITS)
    return Place(Kind(found[1]), UUID(int=patient), UUID(int=source), int(found[3] or 0))


def read_uuid(text: str) -> UUID | None:
    """Return the UUID that ``text`` is, in its usual lower-case form; None for anything else."""
    return UUID(text) if _UUID.fullmatch(text) else None
