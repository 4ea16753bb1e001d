"""A clinic's CalDAV calendar, with Radicale behind it and its staff's program beside us."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from icalendar import Event
from uuid_utils.compat import uuid7

from server.calendars.visit import entry
from server.clinical.visit import Proposed, RawEvent, Seen
from server.clinical.vocabulary import Language, PeerStatus, SuggestionState
from server.gateways.egress import Egress
from server.gateways.message import SendError
from server.gateways.scheduling.calendar import CalendarScheduling, check
from server.gateways.scheduling.port import Outside
from tests.calendars.visits import NINE, SENT
from tests.gateways.scheduling.calendar_program import CalendarProgram, at, saying
from tests.gateways.scheduling.radicale import COLLECTION, PASSWORD, USER, ask, radicale
from tests.gateways.web_peers import Answering, answering

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WRITTEN = entry(SENT, Language.EN, NOW)
UNSEEN: dict[str, Any] = {"external_id": None, "etag": None}


def config(port: int, **parts: str) -> dict[str, str]:
    url = f"http://127.0.0.1:{port}{COLLECTION}"
    return {"way": "caldav", "url": url, "user": USER, "password": PASSWORD, **parts}


def scheduling(port: int, **parts: str) -> CalendarScheduling:
    return CalendarScheduling(config(port, **parts), Outside(Egress(allow_loopback=True)))


def learned(visit: Proposed, seen: Seen) -> Proposed:
    return replace(visit, external_id=seen.external_id, etag=seen.version)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder: Path = tmp_path_factory.mktemp("radicale")
    with radicale(folder) as port:
        yield port


@pytest.fixture
def program(peer: int) -> CalendarProgram:
    return CalendarProgram(peer)


@pytest.fixture
def visit() -> Proposed:
    return replace(SENT, id=uuid7())


@pytest.mark.peers
class TestWithRadicale:
    def test_what_is_put_there_stands_in_its_week(
        self, peer: int, program: CalendarProgram, visit: Proposed
    ) -> None:
        seen = scheduling(peer).suggest(visit, NOW)
        assert (seen.status, seen.external_id) == (
            PeerStatus.PROPOSED,
            f"{visit.id}@visits.afterglow.invalid",
        )
        monday = datetime(2026, 3, 5, tzinfo=UTC)
        assert str(visit.id).encode() in program.between(monday, monday + timedelta(days=1))
        assert str(visit.id).encode() not in program.between(monday - timedelta(days=9), monday)

    def test_the_server_refuses_a_second_one_and_a_change_of_what_has_changed(
        self, peer: int, program: CalendarProgram, visit: Proposed
    ) -> None:
        """What the adapter rests on, asked of the server itself."""
        scheduling(peer).suggest(visit, NOW)
        raw, etag = program.kept(visit.id)
        path = program.path(visit.id)
        assert ask(peer, "PUT", path, raw, {"If-None-Match": "*"})[0] == 412
        assert program.change(visit.id, at(NINE)) == 204
        assert ask(peer, "PUT", path, raw, {"If-Match": etag})[0] == 412
        assert program.event(visit.id).start == NINE

    def test_moved_to_a_time_it_is_booked_then(
        self, peer: int, program: CalendarProgram, visit: Proposed
    ) -> None:
        port = scheduling(peer)
        mine = learned(visit, port.suggest(visit, NOW))
        program.change(visit.id, at(NINE))
        seen = port.fetch(mine, NOW)
        assert seen is not None
        assert (seen.status, seen.starts_at, seen.ends_at) == (
            PeerStatus.BOOKED,
            NINE,
            NINE + timedelta(minutes=90),
        )
        monday = datetime(2026, 3, 6, tzinfo=UTC)
        assert str(visit.id).encode() in program.between(monday, monday + timedelta(days=1))

    def test_what_we_have_not_seen_yet_is_never_written_over(
        self, peer: int, program: CalendarProgram, visit: Proposed
    ) -> None:
        port = scheduling(peer)
        mine = learned(visit, port.suggest(visit, NOW))
        changes = (at(NINE), at(NINE, status="CONFIRMED"), saying("CANCELLED"), saying("CONFIRMED"))
        for change in changes:
            program.change(visit.id, change)
            before = program.kept(visit.id)
            for known in (mine, replace(mine, **UNSEEN)):
                later = replace(known, version=9, latest=visit.latest + timedelta(days=5))
                port.suggest(later, NOW)
            assert program.kept(visit.id) == before

    def test_what_we_have_seen_is_brought_up_to_date_and_the_staffs_notes_stay(
        self, peer: int, program: CalendarProgram, visit: Proposed
    ) -> None:
        def with_a_note(event: Event) -> None:
            at(NINE)(event)
            event.add("location", "Room 2")

        port = scheduling(peer)
        port.suggest(visit, NOW)
        program.change(visit.id, with_a_note)
        seen = port.fetch(visit, NOW)
        assert seen is not None
        booked = replace(
            learned(visit, seen), version=6, state=SuggestionState.BOOKED, starts_at=NINE + timedelta(days=1)
        )
        again = port.suggest(booked, NOW)
        event = program.event(visit.id)
        assert (event["LOCATION"], event["STATUS"], event.start) == ("Room 2", "CONFIRMED", booked.starts_at)
        assert (again.status, again.starts_at, again.version) == (
            PeerStatus.BOOKED,
            booked.starts_at,
            program.kept(visit.id)[1],
        )

    def test_a_visit_that_is_over_is_shown_as_such(
        self, peer: int, program: CalendarProgram, visit: Proposed
    ) -> None:
        port = scheduling(peer)
        mine = learned(visit, port.suggest(visit, NOW))
        seen = port.suggest(replace(mine, version=4, state=SuggestionState.EXPIRED), NOW)
        assert seen.status is PeerStatus.DECLINED
        assert program.event(visit.id)["STATUS"] == "CANCELLED"

    def test_saying_the_same_again_writes_nothing(
        self, peer: int, program: CalendarProgram, visit: Proposed
    ) -> None:
        port = scheduling(peer)
        first = port.suggest(visit, NOW)
        before = program.kept(visit.id)
        for known in (visit, learned(visit, first), replace(visit, etag='"of long ago"', version=7)):
            assert port.suggest(known, NOW + timedelta(hours=1)) == first
        assert program.kept(visit.id) == before

    def test_what_the_staff_threw_away_comes_back_only_when_it_is_suggested_again(
        self, peer: int, program: CalendarProgram, visit: Proposed
    ) -> None:
        port = scheduling(peer)
        mine = learned(visit, port.suggest(visit, NOW))
        program.delete(visit.id)
        assert port.fetch(mine, NOW) is None
        assert not program.is_there(visit.id)
        port.suggest(replace(mine, version=4), NOW)
        assert program.is_there(visit.id)

    def test_a_wrong_password_and_a_calendar_that_is_not_there_are_told_apart(
        self, peer: int, visit: Proposed
    ) -> None:
        elsewhere = f"http://127.0.0.1:{peer}/clinic/nowhere/"
        for parts, reason in (({"password": "x"}, "sign_in"), ({"url": elsewhere}, "no_calendar")):
            with pytest.raises(SendError) as caught:
                scheduling(peer, **parts).suggest(visit, NOW)
            assert (caught.value.reason, caught.value.permanent, caught.value.away) == (reason, False, True)

    def test_an_entry_that_can_not_be_read_is_said_so_and_left_alone(
        self, peer: int, program: CalendarProgram, visit: Proposed
    ) -> None:
        port = scheduling(peer)
        port.suggest(visit, NOW)
        raw, etag = program.kept(visit.id)
        mars = raw.replace(
            b"DTSTART;VALUE=DATE:20260305", b"DTSTART;TZID=Mars/Olympus:20260306T100000"
        ).replace(b"DTEND;VALUE=DATE:20260313", b"DTEND;TZID=Mars/Olympus:20260306T110000")
        assert ask(peer, "PUT", program.path(visit.id), mars, {"If-Match": etag})[0] == 204
        before = program.kept(visit.id)
        for call in (port.suggest, port.fetch, port.withdraw):
            with pytest.raises(SendError) as caught:
                call(visit, NOW)
            assert (caught.value.reason, caught.value.permanent) == ("unreadable", True)
        assert program.kept(visit.id) == before


@pytest.mark.parametrize(
    ("status", "reason", "permanent", "away"),
    [
        (401, "sign_in", False, True),
        (403, "refused_403", True, False),
        (409, "no_calendar", False, True),
        (429, "refused_429", False, True),
        (500, "refused_500", False, False),
        (301, "redirected", False, False),
    ],
)
def test_every_refusal_has_its_reason(status: int, reason: str, permanent: bool, away: bool) -> None:
    with answering(Answering(status)) as port, pytest.raises(SendError) as caught:
        scheduling(port).suggest(SENT, NOW)
    assert (caught.value.reason, caught.value.permanent, caught.value.away) == (reason, permanent, away)


def test_a_time_without_a_zone_is_one_of_the_clinics_clock_wherever_the_patient_is() -> None:
    written = entry(replace(SENT, state=SuggestionState.BOOKED, starts_at=NINE, zone="UTC"), Language.EN, NOW)
    floating = written.replace(b"T090000Z", b"T100000").replace(b"T103000Z", b"T113000")
    away = replace(SENT, zone="America/New_York", clinic_zone="Europe/Oslo")
    assert floating != written
    with always_busy(floating) as port:
        seen = scheduling(port).fetch(away, NOW)
    assert seen is not None
    assert (seen.status, seen.starts_at) == (PeerStatus.BOOKED, NINE)


@contextmanager
def always_busy(written: bytes = WRITTEN) -> Iterator[int]:
    """A server where somebody changes the entry between any look at it and any change."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, written)

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._say(412)

        def do_DELETE(self) -> None:
            self._say(412)

        def _say(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("ETag", f'"{time.monotonic()}"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_an_entry_that_changes_all_the_time_is_left_for_later() -> None:
    later = replace(SENT, version=9, latest=SENT.latest + timedelta(days=2))
    with always_busy() as port:
        for call in (scheduling(port).suggest, scheduling(port).withdraw):
            with pytest.raises(SendError) as caught:
                call(later, NOW)
            assert (caught.value.reason, caught.value.permanent) == ("changed_meanwhile", False)


def test_a_password_is_never_sent_without_encryption_to_another_machine() -> None:
    outside = Outside(Egress(allow_loopback=True))
    plain = {**config(1), "url": "http://calendar.example/visits/"}
    with pytest.raises(ValueError, match="https"):
        CalendarScheduling(plain, outside)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"way": "carrier pigeon"}, "way: must be one of imip, caldav"),
        ({"way": None}, "way: must be"),
        ({"url": "https://10.0.0.7/visits/"}, "url: must not lead into a private network"),
        ({"url": "https://clinic.example/visits/?a=b"}, "url: must hold no query"),
        ({"url": 7}, "url: must be a text"),
        ({"user": ""}, "user: must be a text"),
        ({"user": "a:b"}, "user: must hold no colon"),
        ({"password": None}, "password: must be a text"),
        ({"language": "tlh"}, "language: must be one of en"),
        ({"mailbox": "visits@clinic.example"}, "mailbox: is not known here"),
    ],
)
def test_settings_that_can_not_be_used_are_refused_by_name(change: dict[str, Any], reason: str) -> None:
    good = config(5232, url="https://calendar.example/visits/", language="nb")
    check(good)
    with pytest.raises(ValueError, match=reason):
        check({**good, **change})


def test_an_address_of_this_machine_is_for_development_only() -> None:
    check(config(5232), allow_loopback=True)
    with pytest.raises(ValueError, match="url: must not lead into a private network"):
        check(config(5232))
    with pytest.raises(SendError) as caught:
        CalendarScheduling(config(5232), Outside(Egress())).fetch(SENT, NOW)
    assert caught.value.reason == "egress_refused"


def test_it_says_what_it_can_do_and_sends_no_messages() -> None:
    port = scheduling(5232)
    can = port.capabilities
    assert (can.fetches, can.once, can.pending, can.slots, can.events) == (True, True, True, False, False)
    assert port.find_slots(SENT, NOW) == ()
    with pytest.raises(ValueError, match="no messages"):
        port.parse_event(RawEvent(b"{}"))
    assert port.lane().startswith("127.0.0.1:5232#")
    assert "visits" not in port.lane()
