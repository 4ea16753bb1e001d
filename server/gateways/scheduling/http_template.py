"""Templates of the generic HTTP kind: names of a closed list, put in as values, never as text into JSON."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from server.clinical.visit import Proposed
from server.gateways.message import SendError

_PLACE = re.compile(r"\{([a-z_]*)\}", re.ASCII)
_DEEPEST = 8  # levels of a body

Value = str | int | None


def window(proposed: Proposed) -> tuple[datetime, datetime]:
    """Return the window's first moment and the one after its last, where the patient lives."""
    zone = ZoneInfo(proposed.zone)
    after = proposed.latest + timedelta(days=1)
    return datetime.combine(proposed.earliest, time(), zone), datetime.combine(after, time(), zone)


NAMES: Mapping[str, Callable[[Proposed], Value]] = MappingProxyType(
    {
        "id": lambda p: str(p.id),
        "clinic_id": lambda p: str(p.clinic_id),
        "version": lambda p: p.version,
        "urgency": lambda p: p.urgency.value,
        "earliest": lambda p: _day(p.earliest),
        "latest": lambda p: _day(p.latest),
        "window_starts_at": lambda p: window(p)[0].isoformat(),
        "window_ends_at": lambda p: window(p)[1].isoformat(),
        "zone": lambda p: p.zone,
        "minutes": lambda p: p.minutes,
        "created_at": lambda p: p.created_at.isoformat(),
        "changed_at": lambda p: p.changed_at.isoformat(),
        "external_id": lambda p: p.external_id,
        "etag": lambda p: p.etag,
        "patient_id": lambda p: str(p.patient_id),
        "patient": lambda p: p.mapped.patient,
        "appointment_type": lambda p: p.mapped.appointment_type,
        "provider": lambda p: p.mapped.provider,
        "room": lambda p: p.mapped.room,
    }
)
"""What a template may name. A body may have them all."""

# Who a visit is for stands in no address: those are logged everywhere.
ADDRESS_NAMES = frozenset(NAMES) - {"patient", "patient_id"}
# Without these there is nothing to send: what the clinic has not mapped.
_MAPPED = ("patient", "appointment_type", "provider", "room")


def names_in(template: Any) -> set[str]:
    """Return the names that a text, or all texts of a body, hold places for."""
    if isinstance(template, str):
        return set(_PLACE.findall(template))
    parts = template.values() if isinstance(template, Mapping) else template
    return set().union(*map(names_in, parts)) if isinstance(template, Mapping | list) else set()


def fill_path(template: str, proposed: Proposed) -> str:
    """Return the path with every value as one segment; raise `SendError` where a value can be none."""

    def segment(place: re.Match[str]) -> str:
        value = str(_value(place[1], proposed) or "")
        # An empty one or dots would lead to another place than the one that is meant.
        if not value.strip("."):
            raise SendError(True, f"{place[1]}_unusable")
        return quote(value, safe="")

    return _PLACE.sub(segment, template)


def fill_query(template: Mapping[str, str], proposed: Proposed) -> str:
    """Return the query, `?` included; empty where there is none."""
    filled = {name: _text(text, proposed) for name, text in template.items()}
    return f"?{urlencode(filled)}" if filled else ""


def fill_body(template: Any, proposed: Proposed) -> Any:
    """Return the body: a text that is one place becomes its value (a number, null), others stay texts."""
    if isinstance(template, Mapping):
        return {name: fill_body(part, proposed) for name, part in template.items()}
    if isinstance(template, list):
        return [fill_body(part, proposed) for part in template]
    if not isinstance(template, str):
        return template
    whole = _PLACE.fullmatch(template)
    return _value(whole[1], proposed) if whole else _text(template, proposed)


def check_body(template: Any, depth: int = 0) -> None:
    """Raise ValueError where a body names what there is not, or is deeper than any system wants it."""
    if depth > _DEEPEST:
        raise ValueError(f"must have at most {_DEEPEST} levels")
    if isinstance(template, Mapping | list):
        for part in template.values() if isinstance(template, Mapping) else template:
            check_body(part, depth + 1)
    check_names(template if isinstance(template, str) else "", frozenset(NAMES))


def check_names(text: str, allowed: frozenset[str]) -> None:
    """Raise ValueError where ``text`` names what it may not."""
    for name in sorted(names_in(text) - allowed):
        reason = "may not stand in an address" if name in NAMES else "is not known"
        raise ValueError(f"{{{name[:50]}}} {reason}; there are {', '.join(sorted(allowed))}")


def _text(template: str, proposed: Proposed) -> str:
    def text(place: re.Match[str]) -> str:
        value = _value(place[1], proposed)
        return "" if value is None else str(value)

    return _PLACE.sub(text, template)


def _value(name: str, proposed: Proposed) -> Value:
    value = NAMES[name](proposed)
    if name in _MAPPED and not value:
        raise SendError(True, f"{name}_unmapped")
    return value


def _day(day: date) -> str:
    return day.isoformat()
