"""The phone's clock at sending, in a header: how far it is off shows there; a body has no place for it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from flask import request
from marshmallow import ValidationError

from schemas import spelling
from schemas.phone_clock import PhoneClock
from server.api.contract_notes import with_doc
from server.api.refusals import HeaderProblem

P = ParamSpec("P")
R = TypeVar("R")
HEADER = "Sent-At"
FORMAT = "moment-in-header"  # tools that make clients know no header of `date-time`, and leave the call out
_SHOWN = PhoneClock()


def takes_clock(view: Callable[P, R]) -> Callable[P, R]:
    """Say in the contract that a view reads the phone's clock."""
    return with_doc(view, {"x-sent-at": True})


def sent_at() -> datetime | None:
    """Return the phone's clock when it sent this request, or None where it does not say.

    What is no moment raises a problem (400): taken as unsaid, a clock that is off would go unnoticed.
    """
    raw = request.headers.get(HEADER)
    if raw is None:
        return None
    try:
        found: datetime = _SHOWN.deserialize(raw.strip())
    except ValidationError:
        raise HeaderProblem(HEADER, "Must be a date and time with its offset, as in RFC 3339.") from None
    return found


def parameter() -> dict[str, Any]:
    """Return what the contract says of the header."""
    return {
        "in": "header",
        "name": HEADER,
        "required": False,
        "description": "the phone's clock when it sends this: `clock_suspect` says where it is far off",
        "schema": spelling.PHONE_CLOCK.schema() | {"format": FORMAT},
    }
