"""The clinic's feed: many visits, the same bytes for the same visits."""

import subprocess
import sys
from dataclasses import replace
from uuid import UUID

import pytest
import vobject
from icalendar import Calendar

from server.calendars.feed import Shown, feed
from server.clinical.vocabulary import Language
from tests.calendars.visits import BOOKED, SENT
from tests.source import ROOT

SHOWN = Shown("visits@journal.example", "Europe/Oslo", Language.EN)
MANY = [
    replace(BOOKED, id=UUID(int=number), zone=zone)
    for number, zone in enumerate(("Asia/Tokyo", "Europe/Oslo", "America/Lima", "Europe/Paris"), 1)
]


def test_it_is_published_by_a_mailbox_and_invites_nobody() -> None:
    calendar = Calendar.from_ical(feed([SENT, *MANY], SHOWN))
    assert (calendar["METHOD"], calendar["NAME"]) == ("PUBLISH", "Clinic visits")
    assert len(calendar.events) == 5
    assert {str(event["ORGANIZER"]) for event in calendar.events} == {"mailto:visits@journal.example"}
    assert [event for event in calendar.events if "ATTENDEE" in event] == []


def test_every_zone_comes_along_once() -> None:
    calendar = Calendar.from_ical(feed([*MANY, *MANY], SHOWN))
    assert sorted(zone.tz_name for zone in calendar.timezones) == sorted({visit.zone for visit in MANY})


def test_an_empty_feed_is_a_calendar_all_the_same() -> None:
    for zone in ("Europe/Oslo", "UTC"):
        raw = feed([], replace(SHOWN, zone=zone))
        assert vobject.readOne(raw.decode()).vtimezone is not None
        assert Calendar.from_ical(raw).events == []


CODE = """
import sys
from tests.calendars.test_feed import MANY, SENT, SHOWN, feed
sys.stdout.buffer.write(feed([*MANY, SENT], SHOWN))
"""


@pytest.mark.long
@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_same_visits_are_the_same_bytes_in_every_process(seed: str) -> None:
    surroundings = {"PYTHONHASHSEED": seed}
    run = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, timeout=60, check=True, env=surroundings, cwd=ROOT
    )
    assert run.stdout == feed([*MANY, SENT], SHOWN)


def test_a_change_shows() -> None:
    assert feed([BOOKED], SHOWN) != feed([replace(BOOKED, version=6)], SHOWN)
