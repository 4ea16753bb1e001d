"""What can still be read of something that can't be taken: each answer for itself. Pure.

A body with one wrong member is refused as a whole, but the answer about suicide in it is as true as
ever. Nothing is read into what is not exactly an answer: a grade of 9 or a "maybe" is none.
"""

from collections.abc import Mapping
from math import inf

from server.clinical.instruments.instrument import Instrument
from server.clinical.redflags import Answers
from server.clinical.side_effect_terms import SEVERITY_HIGH, SEVERITY_LOW, SIDE_EFFECTS
from server.clinical.vocabulary import ITEMS, SafetyAnswer

_SAFETY = {answer.value: answer for answer in SafetyAnswer}


def entry(raw: object) -> Answers:
    """Return the answers of an entry's raw JSON that can be read; the rest counts as not given."""
    found = _members(raw)
    said = found.get("safety")
    return Answers(
        safety=_SAFETY.get(said) if isinstance(said, str) else None,
        side_effects={
            term: grade
            for term, grade in _whole(found.get("side_effects")).items()
            if term in SIDE_EFFECTS and SEVERITY_LOW <= grade <= SEVERITY_HIGH
        },
        items={
            key: value
            for key, value in _whole(found.get("items")).items()
            if key in ITEMS and ITEMS[key].low <= value <= ITEMS[key].high
        },
        hours_since_session=None,
    )


def answers(instrument: Instrument, raw: object) -> Mapping[str, int]:
    """Return the answers to ``instrument`` in a filled scale's raw JSON that it can have, by item."""
    bounds = {item.id: (item.low, item.high) for item in instrument.items}
    return {
        name: value
        for name, value in _whole(_members(raw).get("answers")).items()
        if name in bounds and bounds[name][0] <= value <= bounds[name][1]
    }


def total(raw: object) -> float | None:
    """Return the total in a filled scale's raw JSON where it is a number."""
    found = _whole({"total": _members(raw).get("total")})
    return found.get("total")


def _members(raw: object) -> Mapping[str, object]:
    return raw if isinstance(raw, dict) else {}


def _whole(raw: object) -> Mapping[str, int]:
    """Return the members that hold a whole number; 9.0 is one, as everywhere, and true is none."""
    numbers = ((n, v) for n, v in _members(raw).items() if type(v) is int or type(v) is float)
    return {name: int(value) for name, value in numbers if abs(value) < inf and value == int(value)}
