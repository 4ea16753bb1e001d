"""A clinic's visits as one calendar that programs subscribe to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from icalendar import vDuration

from server.calendars.parts import calendar, put_zones, written
from server.calendars.visit import Method, event
from server.calendars.words import words
from server.clinical.visit import Proposed
from server.clinical.vocabulary import Language

# How often a program is asked to look again. Many look once a day, whatever they are asked.
REFRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """How a feed is shown: the mailbox it comes from, the clinic's zone, and the language of the words."""

    organizer: str
    zone: str
    language: Language


def feed(visits: Iterable[Proposed], shown: Shown) -> bytes:
    """Return the calendar of ``visits``, in their order. The same visits give the same bytes.

    So the DTSTAMP of each is its last change: with the moment of reading there, nothing would ever be
    "not modified".
    """
    said = words(shown.language)
    made = calendar(Method.PUBLISH)
    made.add("name", said.calendar)
    made.add("x-wr-calname", said.calendar)
    made.add("x-wr-timezone", shown.zone)
    made.add("refresh-interval", vDuration(REFRESH), {"VALUE": "DURATION"})
    made.add("x-published-ttl", "PT1H")
    for visit in visits:
        shown_visit = event(visit, said, visit.changed_at)
        # What is published names who publishes it, and nobody who is invited (RFC 5546, 3.2.1).
        shown_visit.add("organizer", f"mailto:{shown.organizer}")
        made.add_component(shown_visit)
    # The clinic's own zone is always there: a calendar object without any component is none (RFC 5545, 3.6).
    put_zones(made, shown.zone)
    return written(made)
