"""The copy of what is stored now that a 412 or 428 carries."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema

from schemas.entry import EntryAnswer
from schemas.patient import PatientAnswer

# By name of the noun: this layer does not know the tables.
_SHAPES: Mapping[str, Schema] = {"Entry": EntryAnswer(), "Patient": PatientAnswer()}


def copy_of(stored: object) -> Any:
    """Return ``stored`` in its wire shape. Must run inside the transaction it was read in."""
    return _SHAPES[type(stored).__name__].dump(stored)
