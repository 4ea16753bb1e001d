"""What a system of the generic HTTP kind says, found by JSON pointers and told in our words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from jsonpointer import JsonPointer

LONGEST_NAME = 200  # characters of an id of theirs
TIMES = ("iso", "seconds", "milliseconds")

Pointers = Mapping[str, JsonPointer]


class Unreadable(ValueError):
    """What was said is not what the settings say it would be. ``member`` says which of it."""

    def __init__(self, member: str) -> None:
        super().__init__(f"{member} can't be read")
        self.member = member


@dataclass(frozen=True, slots=True)
class Clock:
    """How a system writes times: one of `TIMES`; ``zone`` is where those without an offset are."""

    times: str = "iso"
    zone: str = ""

    def read(self, raw: object) -> datetime:
        """Return the moment, aware; raise ValueError."""
        if self.times != "iso":
            if isinstance(raw, bool) or not isinstance(raw, int | float):
                raise ValueError("no number")
            return datetime.fromtimestamp(raw / (1000 if self.times == "milliseconds" else 1), UTC)
        if not isinstance(raw, str):
            raise ValueError("no text")
        at = datetime.fromisoformat(raw)
        if at.tzinfo is None and not self.zone:
            raise ValueError("no offset")
        return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(self.zone))


@dataclass(frozen=True, slots=True)
class Part:
    """One object that a system said, and how it is read."""

    raw: object
    pointers: Pointers
    clock: Clock

    def found(self, member: str) -> object:
        """Return what stands where ``member`` is to be; None where there is nothing."""
        pointer = self.pointers.get(member)
        return None if pointer is None else pointer.resolve(self.raw, None)

    def name(self, member: str) -> str | None:
        """Return an id, a version or a word; raise `Unreadable` for what can be none."""
        raw = self.found(member)
        if raw is None:
            return None
        if isinstance(raw, bool) or not isinstance(raw, str | int):
            raise Unreadable(member)
        name = str(raw)
        # A lone surrogate, a line's end: it goes into addresses and a column.
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise Unreadable(member)
        return name

    def time(self, member: str) -> datetime | None:
        """Return a moment; raise `Unreadable` for what is none."""
        raw = self.found(member)
        if raw is None or raw == "":
            return None
        try:
            return self.clock.read(raw)
        except (ValueError, OverflowError, OSError):
            raise Unreadable(member) from None


def parsed(body: bytes) -> Any:
    """Return the JSON of ``body``; raise ValueError."""
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("too deep") from None


def parsed_form(body: bytes) -> Mapping[str, str]:
    """Return the members of a form; the last of a name counts. Raise ValueError."""
    return dict(parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=100))


def listed(raw: object, items: JsonPointer | None) -> Sequence[object]:
    """Return the list that stands at ``items``; without it, what was said is the one there is."""
    if items is None:
        return [raw]
    found = items.resolve(raw, None)
    if not isinstance(found, list):
        raise Unreadable("items")
    return found
