"""What every calendar object of ours is made of: names that never change, times with their zone, bytes."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone

from server.clinical.visit import Proposed

PRODID = "-//Afterglow//Visits//EN"
# No host and no address: the name of a visit must outlive every server that ever sent it (RFC 2606: this
# one is nobody's). It is never changed, or every calendar would show each visit twice.
UID_DOMAIN = "visits.afterglow.invalid"
# The days we offered, beside the time that the clinic's staff gives the event: only the two together show
# that somebody has looked.
WINDOW = "X-AFTERGLOW-WINDOW"
# For the zone of a calendar without events: no year is better than another.
_NO_YEAR = 2026


def uid_of(suggestion_id: UUID) -> str:
    """Return the name of a visit in every calendar, for ever."""
    return f"{suggestion_id}@{UID_DOMAIN}"


def id_of(uid: str) -> UUID:
    """Return the suggestion that ``uid`` names; ValueError where it is none of ours."""
    name, _, domain = uid.strip().lower().partition("@")
    if domain != UID_DOMAIN:
        raise ValueError("it is no visit of ours")
    return UUID(name)


def ref_of(suggestion_id: UUID) -> str:
    """Return what people call a visit by: 8 figures that say nothing. The first ones of an id are a time."""
    return suggestion_id.hex[-8:]


def calendar(method: str | None) -> Calendar:
    """Return an empty calendar object; ``method`` None for what is only kept or downloaded."""
    made = Calendar()
    made.add("prodid", PRODID)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    if method is not None:
        made.add("method", method)
    return made


def times_of(proposed: Proposed) -> tuple[datetime, datetime] | None:
    """Return start and end of the booked visit in its own zone, None while it has no time."""
    if proposed.starts_at is None:
        return None
    ends_at = proposed.ends_at or proposed.starts_at + timedelta(minutes=proposed.minutes)
    zone = ZoneInfo(proposed.zone)
    return proposed.starts_at.astimezone(zone), ends_at.astimezone(zone)


def put_window(event: Event, proposed: Proposed) -> None:
    """Note the days that are offered."""
    event.pop(WINDOW, None)
    event.add(WINDOW, f"{proposed.earliest}/{proposed.latest}")


def window_in(event: Event) -> tuple[date, date] | None:
    """Return the days that were offered, None where nobody wrote them down; ValueError for nonsense."""
    if WINDOW not in event:
        return None
    first, _, last = str(event[WINDOW]).partition("/")
    return date.fromisoformat(first), date.fromisoformat(last)


def put_times(event: Event, proposed: Proposed) -> None:
    """Give ``event`` its time; without one the days of the window, which keep nobody's time free."""
    for name in ("DTSTART", "DTEND", "DURATION", "TRANSP"):
        event.pop(name, None)
    times = times_of(proposed)
    # The end is not part of an event (RFC 5545, 3.6.1): the day after the window's last.
    start, end = times or (proposed.earliest, proposed.latest + timedelta(days=1))
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("transp", "TRANSPARENT" if times is None else "OPAQUE")


def put_zones(made: Calendar, *always: str) -> None:
    """Add a VTIMEZONE for every zone that ``made`` names, and for ``always``, unless it is there already.

    It holds for the years of the events and one on either side.
    """
    known = {zone.tz_name for zone in made.timezones}
    # In one order: the same visits must give the same bytes in every process.
    missing = sorted((made.get_missing_tzids() | set(always)) - known)
    first, last = _years(made.events)
    zones = [_zone(tzid, first, last) for tzid in missing]
    made.subcomponents[:0] = zones


def utc(moment: datetime) -> datetime:
    """Return ``moment`` in UTC and whole seconds: calendars know no parts of one."""
    return moment.astimezone(UTC).replace(microsecond=0)


def written(made: Calendar) -> bytes:
    """Return the text: CRLF, lines folded at 75 octets, special characters escaped."""
    text: bytes = made.to_ical(sorted=False)
    return text


def _years(events: Iterable[Event]) -> tuple[int, int]:
    years = {found.year for event in events for found in (event.DTSTART, event.DTEND) if found is not None}
    return min(years, default=_NO_YEAR) - 1, max(years, default=_NO_YEAR) + 1


@cache
def _zone(tzid: str, first: int, last: int) -> Timezone:
    return Timezone.from_tzid(tzid, first_date=date(first, 1, 1), last_date=date(last + 1, 1, 1))
