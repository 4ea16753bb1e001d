"""Filled scales as a phone would send them."""

from datetime import datetime
from typing import Any

ITEMS = {"phq-9": 9, "gad-7": 7, "phq-8": 8}


def filled(at: datetime, instrument: str = "phq-9", each: int = 0, **parts: Any) -> dict[str, Any]:
    """Return a response with every item answered `each`; ``parts`` replace or add members."""
    answers = {f"q{n}": each for n in range(1, ITEMS.get(instrument, 0) + 1)}
    body = {
        "instrument": instrument,
        "instrument_version": 1,
        "locale": "en",
        "answers": answers,
        "occurred_at": at.isoformat(),
        "zone": "Europe/Oslo",
    }
    return {**body, **parts}


def with_item9(at: datetime, answer: int | None, **parts: Any) -> dict[str, Any]:
    """Return a PHQ-9 that is calm but for item 9."""
    body = filled(at, **parts)
    body["answers"] = {**body["answers"], "q9": answer}
    return body
