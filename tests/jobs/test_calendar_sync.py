"""A suggestion and the clinic's CalDAV calendar: what is booked stands there as booked, whoever booked it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from icalendar import Event

from jobs import booking_sync
from jobs.around import Around
from server.database import Database
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.gateways.scheduling.calendar_program import CalendarProgram, at
from tests.gateways.scheduling.radicale import COLLECTION, PASSWORD, USER, radicale
from tests.visits import Visits

pytestmark = pytest.mark.peers


@dataclass
class Office:
    """The clinic, its calendar, and the program its staff look at it with."""

    around: Around
    clock: Clock
    cast: Cast
    visits: Visits
    program: CalendarProgram
    suggestion: str = ""

    def approve(self) -> None:
        """Connect the calendar and let a visit go out."""
        url = f"http://127.0.0.1:{self.program.port}{COLLECTION}"
        config = {"way": "caldav", "url": url, "user": USER, "password": PASSWORD}
        body = {"kind": "calendar", "name": "Calendar", "config": config}
        assert self.cast.admin.post("/clinic/scheduling-connections", body).status_code == 201
        self.suggestion = self.visits.approved()
        self.sync()

    def sync(self, minutes: float = 0) -> None:
        """Let time pass and the job run until it has nothing more to say."""
        now = self.clock.forward(minutes=minutes)
        while booking_sync.run(self.around, now):
            now = self.clock.forward(seconds=1)

    def row(self) -> Any:
        """Return our side of the visit."""
        return self.cast.bo.get(f"/booking-suggestions/{self.suggestion}").json

    def entry(self) -> tuple[date, str, str, str]:
        """Return when the entry is, its status, whether it keeps the time free, and its title."""
        event: Event = self.program.event(UUID(self.suggestion))
        return event.start, event["STATUS"], event["TRANSP"], event["SUMMARY"].rpartition(" ")[0]

    def tasks(self) -> list[str]:
        """Return the codes of what a person has to look at."""
        return [one["code"] for one in self.cast.bo.get("/review-tasks").json["items"]]


@pytest.fixture
def office(
    app: Flask, database: Database, settings: Settings, clock: Clock, cast: Cast, tmp_path: Path
) -> Iterator[Office]:
    around = Around(database, replace(settings, allow_loopback_egress="yes"), {})
    with radicale(tmp_path) as port:
        made = Office(around, clock, cast, Visits(app, cast), CalendarProgram(port))
        made.approve()
        yield made


def booked(at: datetime) -> tuple[date, str, str, str]:
    return at, "CONFIRMED", "OPAQUE", "Clinic visit"


def test_what_is_booked_or_moved_another_way_stands_in_the_calendar(office: Office) -> None:
    assert office.entry()[1:3] == ("TENTATIVE", "TRANSPARENT")
    for days in (3, 4):
        then = office.visits.now + timedelta(days=days)
        taken = office.visits.book(office.cast.scheduler, office.suggestion, office.row()["version"], days)
        assert taken.status_code == 200, taken.text
        office.sync(minutes=1)
        assert office.entry() == booked(then)
    office.sync(minutes=60 * 25)
    assert (office.entry(), office.tasks()) == (booked(then), [])


@pytest.mark.parametrize("status", [None, "CONFIRMED"])
def test_what_staff_drag_to_a_time_keeps_it_free_no_longer_and_their_notes_stay(
    office: Office, status: str | None
) -> None:
    then = office.visits.now + timedelta(days=3)

    def dragged(event: Event) -> None:
        at(then, status=status)(event)
        event.add("location", "Room 2")

    office.program.change(UUID(office.suggestion), dragged)
    office.sync(minutes=6)
    assert (office.row()["state"], office.entry()) == ("booked", booked(then))
    assert office.program.event(UUID(office.suggestion))["LOCATION"] == "Room 2"
    version = office.row()["version"]
    office.sync(minutes=60 * 25)
    assert (office.row()["version"], office.tasks()) == (version, [])


def test_a_booked_entry_that_staff_threw_away_is_not_put_back(office: Office) -> None:
    office.program.change(UUID(office.suggestion), at(office.visits.now + timedelta(days=3)))
    office.sync(minutes=6)
    office.program.delete(UUID(office.suggestion))
    path, version = f"/visits/{office.suggestion}/answer", office.row()["version"]
    assert office.cast.ana.post(path, {"answer": "accepted"}, version=version).status_code == 200
    office.sync(minutes=1)
    assert not office.program.is_there(UUID(office.suggestion))
    assert (office.row()["state"], office.tasks()) == ("booked", ["gone_there"])
