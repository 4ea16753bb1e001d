"""The clinic's calendar program: it reads and writes objects of a CalDAV calendar as staff would."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from tests.gateways.scheduling.radicale import COLLECTION, ask

Change = Callable[[Event], None]


class CalendarProgram:
    """What its user does with the entry of one suggestion."""

    def __init__(self, port: int) -> None:
        self.port = port

    def change(self, suggestion_id: UUID, change: Change) -> int:
        """Open the entry, change it, save it; return the server's status."""
        raw, etag = self.kept(suggestion_id)
        calendar = Calendar.from_ical(raw)
        (event,) = calendar.events
        change(event)
        headers = {"If-Match": etag, "Content-Type": "text/calendar"}
        status, _, _ = ask(self.port, "PUT", self.path(suggestion_id), calendar.to_ical(), headers)
        return status

    def kept(self, suggestion_id: UUID) -> tuple[bytes, str]:
        """Return the entry as it lies on the server, and its ETag."""
        status, headers, raw = ask(self.port, "GET", self.path(suggestion_id))
        assert status == 200, raw
        return raw, headers["etag"]

    def event(self, suggestion_id: UUID) -> Event:
        """Return the entry read."""
        (event,) = Calendar.from_ical(self.kept(suggestion_id)[0]).events
        return event

    def is_there(self, suggestion_id: UUID) -> bool:
        """Return whether there is such an entry, one that is cancelled left out."""
        if ask(self.port, "GET", self.path(suggestion_id))[0] != 200:
            return False
        return self.event(suggestion_id).get("STATUS") != "CANCELLED"

    def delete(self, suggestion_id: UUID) -> None:
        """Throw the entry away."""
        assert ask(self.port, "DELETE", self.path(suggestion_id))[0] == 200

    def between(self, start: datetime, end: datetime) -> bytes:
        """Ask the server for the entries of a stretch of time, as a program does to draw a week."""
        query = _QUERY.format(start=f"{start:%Y%m%dT%H%M%SZ}", end=f"{end:%Y%m%dT%H%M%SZ}")
        status, _, found = ask(self.port, "REPORT", COLLECTION, query.encode(), {"Depth": "1"})
        assert status == 207, found
        return found

    @staticmethod
    def path(suggestion_id: UUID) -> str:
        """Return where the entry of a suggestion lies."""
        return f"{COLLECTION}{suggestion_id}.ics"


_QUERY = """<?xml version="1.0"?>
<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:">
<D:prop><D:getetag/><C:calendar-data/></D:prop>
<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
<C:time-range start="{start}" end="{end}"/></C:comp-filter></C:comp-filter></C:filter>
</C:calendar-query>"""


def at(start: datetime, minutes: int = 90, zone: str = "Europe/Oslo", status: str | None = None) -> Change:
    """Drag the entry to a time; with ``status`` also say how sure it is."""

    def change(event: Event) -> None:
        for name in ("DTSTART", "DTEND", "DURATION"):
            event.pop(name, None)
        local = start.astimezone(ZoneInfo(zone))
        event.add("dtstart", local)
        event.add("dtend", local + timedelta(minutes=minutes))
        if status is not None:
            event["STATUS"] = status

    return change


def saying(status: str) -> Change:
    """Say how sure it is, and leave the time alone."""

    def change(event: Event) -> None:
        event["STATUS"] = status

    return change
