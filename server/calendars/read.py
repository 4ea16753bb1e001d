"""What a calendar object says of a visit, whoever wrote it: a server, a program, somebody's hand.

Zones are looked up by name (IANA or Windows). A definition that comes along (VTIMEZONE) is never used: the
library keeps those for the whole process, so one clinic's would decide the times of another's, and a rule
in it may take hours to work out.
"""

import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import NamedTuple, cast
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Calendar, Event
from icalendar.parser import Contentline, Contentlines
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from server.calendars.parts import id_of, times_of, utc, window_in
from server.calendars.visit import CANCELLED, CONFIRMED, status_of
from server.clinical.calendar_reply import Order, names_days
from server.clinical.visit import Proposed, Seen
from server.clinical.vocabulary import PeerStatus, SuggestionState

# What a library raises for text that is no calendar, beside ValueError: it was written for kinder input.
NONSENSE = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
_ZONE = re.compile(r';TZID=("[^"]*"|[^":;]*)', re.IGNORECASE)
_NO_ZONE = "unknown"
# Names that mean "whatever this machine says".
_NO_PLACES = frozenset({"localtime", "Factory", "posixrules"})
_LONGEST_ZONE = 100  # characters, with its maker's name
# What has been booked ends otherwise than what never was.
_HAD_A_TIME = frozenset({SuggestionState.BOOKED, SuggestionState.ARRIVED, SuggestionState.CANCELLED})


class Named(NamedTuple):
    """What an event is about, and which change of it."""

    suggestion_id: UUID
    order: Order


@dataclass(frozen=True, slots=True)
class Told:
    """One event: what it is about, which change of it, and when it is.

    ``starts_at``, ``ends_at``: aware, None where it names ``days`` (both included) only. ``offered``: the
    days that we wrote there. ``is_free``: it keeps nobody's time.
    """

    suggestion_id: UUID
    order: Order
    status: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    days: tuple[date, date]
    offered: tuple[date, date] | None
    is_free: bool


def parsed(raw: bytes) -> Calendar:
    """Return the calendar object in ``raw``; ValueError where there is none or a zone is not known."""
    try:
        lines = _without_zones(_unfolded(raw))
        found = Calendar.from_ical("\r\n".join(map(_with_known_zone, lines)))
    except NONSENSE:
        raise ValueError("it is no calendar object that can be read") from None
    if not isinstance(found, Calendar):
        raise ValueError("it holds more than one calendar object")
    return found


def visit_in(made: Calendar) -> Event:
    """Return the one event; of a series its first. ValueError where there is none, or more than one."""
    events = [event for event in made.events if "RECURRENCE-ID" not in event]
    if len(events) != 1:
        raise ValueError("it holds no event, or several")
    return events[0]


def named(made: Calendar) -> Named:
    """Return which visit the event is about, and which change of it; ValueError for nonsense."""
    event = visit_in(made)
    try:
        order = Order(int(event.get("SEQUENCE", 0)), _aware(event.DTSTAMP))
        return Named(id_of(str(event["UID"])), order)
    except NONSENSE:
        raise ValueError("it is no visit that can be read") from None


def told(made: Calendar, zone: str) -> Told:
    """Return what the event says; ValueError for nonsense.

    ``zone``: whose clock a time without a zone means.
    """
    event, (about, order) = visit_in(made), named(made)
    try:
        start, end = _span(event, ZoneInfo(zone))
        status = str(event["STATUS"]).upper() if "STATUS" in event else None
        offered = window_in(event)
    except NONSENSE:
        raise ValueError("it is no visit that can be read") from None
    days, is_free = _days(start, end), str(event.get("TRANSP", "")).upper() == "TRANSPARENT"
    if isinstance(start, datetime) and isinstance(end, datetime) and not _are_days(event, start, end):
        return Told(about, order, status, utc(start), utc(end), days, offered, is_free)
    return Told(about, order, status, None, None, days, offered, is_free)


def seen(found: Told, proposed: Proposed, version: str | None, external_id: str) -> Seen:
    """Return how the visit stands in a calendar whose staff may move or confirm it.

    A time is a booking, whether the program can say "confirmed" or not: we sent days, so somebody gave it
    one. Other days, or "confirmed" without a time, show that somebody has looked.
    """
    return Seen(external_id, _stands(found, proposed), found.starts_at, found.ends_at, version)


def says(found: Told, proposed: Proposed) -> bool:
    """Return whether it says already what we would write."""
    times = times_of(proposed)
    wanted = (None, None) if times is None else (utc(times[0]), utc(times[1]))
    window = (proposed.earliest, proposed.latest)
    same_days = times is not None or found.days == window
    same = (found.starts_at, found.ends_at) == wanted and same_days and found.offered == window
    return same and found.status == status_of(proposed.state) and found.is_free == (times is None)


def _stands(found: Told, proposed: Proposed) -> PeerStatus:
    if found.status == CANCELLED:
        return PeerStatus.CANCELLED if proposed.state in _HAD_A_TIME else PeerStatus.DECLINED
    if found.starts_at is not None:
        return PeerStatus.BOOKED
    offered = found.offered or (proposed.earliest, proposed.latest)
    touched = found.status == CONFIRMED or found.days != offered
    return PeerStatus.PENDING if touched else PeerStatus.PROPOSED


def _span(event: Event, zone: ZoneInfo) -> tuple[date, date]:
    start = event.DTSTART
    if start is None:
        raise ValueError("it has no start")
    end = event.DTEND if "DTEND" in event else start + event.duration
    if any(when is not None and not 1970 < when.year < 2200 for when in (start, end)):
        raise ValueError("its time is none of a visit")
    if end is None or end < start or isinstance(start, datetime) != isinstance(end, datetime):
        raise ValueError("it has no end")
    return _placed(event, "DTSTART", start, zone), _placed(event, "DTEND", end, zone)


def _placed(event: Event, name: str, at: date, zone: ZoneInfo) -> date:
    if not isinstance(at, datetime) or at.tzinfo is not None:
        return at
    # It has a zone, and nobody knows which.
    if name in event and "TZID" in event[name].params:
        raise ValueError("its zone is not known")
    return at.replace(tzinfo=zone)


def _aware(stamp: datetime | None) -> datetime:
    if stamp is None or stamp.tzinfo is None or not 1970 < stamp.year < 2200:
        raise ValueError("it does not say when it was made")
    return utc(stamp)


def _are_days(event: Event, start: datetime, end: datetime) -> bool:
    marked = str(event.get("X-MICROSOFT-CDO-ALLDAYEVENT", "")).upper() == "TRUE"
    return marked or names_days(start, end)


def _days(start: date, end: date) -> tuple[date, date]:
    """Return the first and the last day; the end itself is not part of an event."""
    if isinstance(start, datetime) and isinstance(end, datetime):
        return start.date(), max(start, end - timedelta(minutes=1)).date()
    return start, max(start, end - timedelta(days=1))


def _unfolded(raw: bytes) -> Sequence[Contentline]:
    """Return the lines as the library will see them, so that nothing can hide from us in a fold."""
    read = cast(Callable[[bytes], Sequence[Contentline]], Contentlines.from_ical)
    return [line for line in read(raw) if line]


def _without_zones(lines: Sequence[Contentline]) -> Sequence[Contentline]:
    """Leave out every VTIMEZONE."""
    kept: list[Contentline] = []
    inside = False
    for line in lines:
        mark = _mark(line)
        if mark and inside != (mark == "END"):
            raise ValueError("a zone is opened twice, or closed without being open")
        if mark == "BEGIN":
            inside = True
        if not inside:
            kept.append(line)
        if mark == "END":
            inside = False
    return kept


def _mark(line: Contentline) -> str:
    """Return BEGIN or END where ``line`` is that of a VTIMEZONE."""
    try:
        name, _, value = line.parts()
    except ValueError:
        return ""  # the library's to judge: inside an event it only passes it by
    is_edge = name.upper() in ("BEGIN", "END") and value.upper() == "VTIMEZONE"
    return name.upper() if is_edge else ""


def _with_known_zone(line: Contentline) -> str:
    """Write every zone as we know it; the library would try whatever it is told, as a file's name too."""
    return _ZONE.sub(lambda found: f";TZID={_known(found[1])}", line)


def _known(said: str) -> str:
    """Return the IANA name of a zone, also for its Windows name, or with its maker's name in front."""
    name = said.strip('"').strip("/")
    if len(name) > _LONGEST_ZONE:
        return _NO_ZONE
    steps = name.split("/")
    endings = ("/".join(steps[start:]) for start in range(len(steps)))
    known = next((ending for ending in endings if ending in _zones()), None)
    return known or WINDOWS_TO_OLSON.get(name, _NO_ZONE)


@cache
def _zones() -> Set[str]:
    # They are looked up in the file system, which takes a hundredth of a second.
    return frozenset(available_timezones()) - _NO_PLACES
